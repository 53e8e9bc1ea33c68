"""Signing in by Microsoft Entra ID: the whole code flow against a tenant with real keys, and all that goes wrong."""

import logging
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from adapters.entra import sign_in as entra
from adapters.entra.errors import SignInError
from adapters.entra.id_token import IdTokenVerifier
from adapters.entra.registration import AppRegistration
from tests.integration.console.conftest import StartConsole
from tests.support import entra_tenant
from tests.support.console import LiveConsole
from tests.support.entra import TENANT, Certificate
from tests.support.entra_tenant import CLIENT, ENTRA, GROUP, PERSON, Tenant, start_tenant
from tests.support.storage import Storage
from tests.support.visitor import Visitor

NAME = "console.example.com"


@pytest.fixture
def console(storage: Storage, open_console: StartConsole, tenant: Tenant) -> LiveConsole:
    assert tenant.asked == []
    return open_console(storage, **ENTRA, console_principals=f"{PERSON},{GROUP}".upper())


def go_to_entra(visitor: Visitor, path: str = "/audit?days=7") -> str:
    """Follows the link of the sign-in page; returns where Entra leads the browser back to."""
    led = visitor.get(path)
    assert led.status_code == 303
    shown = visitor.get(led.headers["location"])
    assert "Sign in with Microsoft Entra ID" in shown.text
    assert 'name="token"' not in shown.text
    (link,) = [part for part in shown.text.split('"') if "/sign-in/start" in part]
    started = visitor.get(link.replace("&amp;", "&"))
    assert started.status_code == 303
    with httpx.Client(verify=False) as client:  # noqa: S501 - the browser may trust the tenant
        return str(client.get(started.headers["location"]).headers["location"])


def sign_in(visitor: Visitor, path: str = "/audit?days=7") -> httpx.Response:
    return visitor.get(go_to_entra(visitor, path))


def log_of(caplog: pytest.LogCaptureFixture) -> str:
    """The console's own lines; a process silences those of libraries (tests/integration/console/test_process.py)."""
    return "\n".join(each.getMessage() for each in caplog.records if each.name.startswith("proxy."))


def text_of(response: httpx.Response) -> str:
    return " ".join(response.text.split())


def test_a_person_who_is_named_signs_in_and_comes_to_the_page_that_was_asked_for(
    console: LiveConsole, tenant: Tenant, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    visitor = Visitor(console)
    answer = sign_in(visitor)
    assert (answer.status_code, answer.headers["refresh"]) == (200, "0; url=/audit?days=7")
    page = visitor.get("/audit?days=7")
    assert f"olga@example.com ({PERSON})" in page.text
    (token_request,) = [form for path, form in tenant.asked if path.endswith("/token")]
    assert token_request["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    assert "client_secret" not in token_request
    assert {"code_verifier", "client_assertion"} <= set(token_request)
    log = log_of(caplog)
    assert f"olga@example.com ({PERSON}) has signed in" in log
    assert not any(secret in log for secret in (token_request["code"], token_request["client_assertion"], "127.0.0.1:"))


def test_the_cookies_are_secure_and_only_that_of_the_way_comes_along_from_entra(console: LiveConsole) -> None:
    visitor = Visitor(console)
    started = visitor.get("/sign-in/start")
    way = started.headers["set-cookie"].lower()
    assert ("samesite=lax" in way, "secure" in way, "httponly" in way, "max-age=600" in way) == (True,) * 4
    cookies = sign_in(Visitor(console)).headers.get_list("set-cookie")
    (session,) = [each.lower() for each in cookies if "session" in each]
    assert ("samesite=strict" in session, "secure" in session, "httponly" in session) == (True,) * 3
    assert "max-age=43200" in session


def test_behind_a_name_the_browser_comes_back_by_https_to_that_name_only(
    storage: Storage, open_console: StartConsole, tenant: Tenant
) -> None:
    console = open_console(storage, **ENTRA, console_principals=PERSON, console_name=NAME)
    visitor = Visitor(console, host=NAME, scheme="https", headers={"X-Forwarded-Host": "evil.example"})
    back = go_to_entra(visitor)
    assert back.startswith(f"https://{NAME}/sign-in/callback?")
    assert set(visitor.cookies) == {"__Host-console_sign_in"}
    assert visitor.get(back).status_code == 200
    assert set(visitor.cookies) == {"__Host-console_session"}
    assert PERSON in visitor.get("/audit").text
    assert tenant.asked[-1][0].endswith("/keys")
    assert f'href="https://{NAME}/sign-in/start' in Visitor(console).get("/sign-in").text  # asked by 127.0.0.1
    assert Visitor(console, host="evil.example").get("/sign-in").status_code == 421


def test_who_is_in_a_group_that_is_named_may_come_in(console: LiveConsole, tenant: Tenant) -> None:
    tenant.claims = {"oid": "77777777-7777-7777-7777-777777777777", "groups": ["other", GROUP]}
    assert sign_in(Visitor(console)).status_code == 200


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    # what differs: claims, the sentence, the log's reason
    "another nonce": ({"nonce": "other"}, "is not valid", "another nonce"),
    "another audience": ({"aud": "99999999-9999-9999-9999-999999999999"}, "is not valid", "InvalidAudienceError"),
    "several audiences": ({"aud": ["x", "y"]}, "is not valid", "InvalidAudienceError"),
    "another issuer": ({"iss": "https://login.example.com/v2.0"}, "is not valid", "InvalidIssuerError"),
    "another tenant": ({"tid": "88888888-8888-8888-8888-888888888888"}, "is not valid", "another tenant"),
    "expired": ({"exp": 1_700_000_000}, "is not valid", "ExpiredSignatureError"),
    "not yet valid": ({"nbf": 4_000_000_000}, "is not valid", "ImmatureSignatureError"),
    "not a principal": ({"oid": "77777777-7777-7777-7777-777777777777"}, "Neither you nor", "not a principal"),
    "too many groups": (
        {"oid": "77777777-7777-7777-7777-777777777777", "_claim_names": {"groups": "src1"}},
        "more groups than a token can name",
        "not a principal",
    ),
    "a group as a text": (
        {"oid": "77777777-7777-7777-7777-777777777777", "groups": GROUP},
        "Neither you nor",
        "not a principal",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_token_that_is_not_right_opens_nothing(
    case: str, console: LiveConsole, tenant: Tenant, caplog: pytest.LogCaptureFixture
) -> None:
    claims, sentence, reason = REFUSED[case]
    tenant.claims = claims
    visitor = Visitor(console)
    answer = sign_in(visitor)
    assert (answer.status_code, sentence in text_of(answer)) == (403, True)
    assert "session" not in str(visitor.cookies)
    assert visitor.get("/audit").status_code == 303
    assert f"a sign-in was refused: {reason}" in caplog.text
    assert "eyJ" not in log_of(caplog) + answer.text


@pytest.mark.parametrize("missing", ["nonce", "aud", "iss", "exp", "oid", "tid"])
def test_a_token_without_a_claim_opens_nothing(missing: str, console: LiveConsole, tenant: Tenant) -> None:
    tenant.without = (missing,)
    visitor = Visitor(console)
    assert sign_in(visitor).status_code == 403
    assert "session" not in str(visitor.cookies)


@pytest.mark.parametrize("sign", ["not", "by_other_key", "by_unknown_key", "by_public_key"])
def test_a_token_that_the_tenant_has_not_signed_opens_nothing(sign: str, console: LiveConsole, tenant: Tenant) -> None:
    tenant.sign = getattr(entra_tenant, f"sign_{sign}")
    visitor = Visitor(console)
    answer = sign_in(visitor)
    assert (answer.status_code, "is not valid" in answer.text) == (403, True)
    assert "session" not in str(visitor.cookies)


def test_a_person_who_is_named_needs_no_list_of_groups(console: LiveConsole, tenant: Tenant) -> None:
    tenant.claims = {"_claim_names": {"groups": "src1"}}
    assert sign_in(Visitor(console)).status_code == 200


def test_an_answer_that_belongs_to_another_sign_in_opens_nothing(console: LiveConsole, tenant: Tenant) -> None:
    victim, attacker = Visitor(console), Visitor(console)
    go_to_entra(victim)
    answer = victim.get(go_to_entra(attacker))
    assert (answer.status_code, "not that of the sign-in" in answer.text) == (403, True)
    assert Visitor(console).get("/sign-in/callback?code=x&state=y").status_code == 403
    assert not [path for path, _ in tenant.asked if path.endswith("/token")]  # the code went nowhere


def test_a_code_works_once(console: LiveConsole, tenant: Tenant) -> None:
    visitor = Visitor(console)
    back = go_to_entra(visitor)
    copied = Visitor(console, cookies=dict(visitor.cookies))
    assert visitor.get(back).status_code == 200
    assert copied.get(back).status_code == 403
    assert len([path for path, _ in tenant.asked if path.endswith("/token")]) == 1  # the second try ends here
    assert copied.get("/audit").status_code == 303


ANSWERS: dict[str, tuple[Callable[[Tenant], None], int, str]] = {
    "the person may not": (
        lambda tenant: setattr(
            tenant, "refuses_person", {"error": "access_denied", "error_description": "AADSTS50105: <b>no</b>"}
        ),
        403,
        "AADSTS50105",
    ),
    "a strange error": (
        lambda tenant: setattr(tenant, "refuses_person", {"error": "<script>alert(1)</script>"}),
        503,
        "scriptalert1script",
    ),
    "no code": (lambda tenant: setattr(tenant, "refuses_person", {"other": "x"}), 403, "sent no code"),
    "the code is used": (
        lambda tenant: setattr(tenant, "error", {"error": "invalid_grant", "error_description": "AADSTS54005: x"}),
        403,
        "AADSTS54005",
    ),
    "the console is not known": (
        lambda tenant: setattr(tenant, "error", {"error": "invalid_client", "error_description": "AADSTS700213: x"}),
        503,
        "AADSTS700213",
    ),
    "the endpoint fails": (lambda tenant: setattr(tenant, "fails", "/token"), 503, "does not answer as it should"),
    "the keys fail": (lambda tenant: setattr(tenant, "fails", "/keys"), 503, "be had now"),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_an_error_of_entra_is_a_page_with_a_sentence_and_one_line(
    case: str, console: LiveConsole, tenant: Tenant, caplog: pytest.LogCaptureFixture
) -> None:
    change, status, text = ANSWERS[case]
    change(tenant)
    answer = sign_in(Visitor(console))
    assert (answer.status_code, text in answer.text) == (status, True), answer.text
    assert log_of(caplog).count("\n") == 0
    assert "a sign-in was refused" in log_of(caplog)
    assert parse_qs(urlsplit(str(answer.url)).query).get("code", ["none"])[0] not in log_of(caplog)


def test_without_entra_or_an_identity_the_page_says_so(
    console: LiveConsole, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant.fails = "openid-configuration"
    answer = Visitor(console).get("/sign-in/start")
    assert (answer.status_code, "does not answer as it should" in answer.text) == (503, True)
    tenant.fails = ""
    visitor = Visitor(console)
    back = go_to_entra(visitor)  # it is asked anew
    monkeypatch.setenv("IDENTITY_HEADER", "wrong")
    answer = visitor.get(back)
    assert (answer.status_code, "identity gets no token" in text_of(answer)) == (503, True)


def test_headers_of_a_platform_and_the_token_form_open_nothing(console: LiveConsole) -> None:
    visitor = Visitor(console, headers={"X-MS-CLIENT-PRINCIPAL": "e30=", "X-MS-CLIENT-PRINCIPAL-ID": PERSON})
    assert visitor.get("/audit").status_code == 303
    assert visitor.sign_in("a-token-of-twenty-characters").status_code == 405


@pytest.mark.parametrize("name", ["<b>olga</b>\n\x1b[0m" + "x" * 500, 5, None])
def test_a_hostile_name_is_bounded_and_shown_as_text(
    name: object, console: LiveConsole, tenant: Tenant, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    tenant.claims = {"preferred_username": name}
    visitor = Visitor(console)
    assert sign_in(visitor).status_code == 200
    page = visitor.get("/audit").text
    assert "<b>olga" not in page
    assert f"({PERSON})" in page
    (line,) = [each.getMessage() for each in caplog.records if "has signed in" in each.getMessage()]
    assert line.isprintable()
    assert len(line) < 200


@pytest.mark.parametrize("path", ["openid-configuration", "/token", "/keys"])
def test_no_redirect_of_the_tenant_is_followed(
    path: str, console: LiveConsole, tenant: Tenant, certificate: Certificate
) -> None:
    """The assertion would open the console's own registration elsewhere."""
    with start_tenant(certificate) as other:
        tenant.redirects, tenant.other = path, other.authority
        visitor = Visitor(console)
        answer = visitor.get("/sign-in/start") if "configuration" in path else sign_in(visitor)
        assert answer.status_code == 503
        assert other.asked == []


def test_a_tenant_that_does_not_answer_in_time_is_a_page_too(
    console: LiveConsole, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = Visitor(console)
    back = go_to_entra(visitor)
    monkeypatch.setattr(entra, "SIGN_IN_SECONDS", 0.3)
    tenant.goes_on.clear()
    answer = visitor.get(back)
    tenant.goes_on.set()
    assert (answer.status_code, "did not answer in time" in answer.text) == (503, True)


def test_the_verifier_itself_looks_at_the_nonce(tenant: Tenant) -> None:
    """Msal compares it too, on its way."""
    verifier = IdTokenVerifier(AppRegistration(TENANT, CLIENT))
    now = int(time.time())
    claims = {"aud": CLIENT, "iss": f"{tenant.url}/v2.0", "iat": now, "exp": now + 60, "oid": PERSON, "tid": TENANT}
    token = entra_tenant.sign(claims | {"nonce": "ours"})
    assert verifier.verify(token, "ours")["oid"] == PERSON
    with pytest.raises(SignInError, match="is not valid"):
        verifier.verify(token, "other")
    with pytest.raises(SignInError, match="is not valid"):
        verifier.verify("no.token", "ours")


def test_clocks_may_differ_by_a_minute(console: LiveConsole, tenant: Tenant) -> None:
    now = int(time.time())
    tenant.claims = {"iat": now + 30, "nbf": now + 30}
    assert sign_in(Visitor(console)).status_code == 200
