"""`python -m proxy conformance`: what it prints, how it ends, whom it trusts, and what it never shows."""

import io
import json
import os
import re
from pathlib import Path

import pytest

from proxy.cli.main import main
from proxy.conformance.rules.catalog import RULES
from proxy.conformance.target import parse_resolve
from tests.integration.conformance.endpoints import HOST, Authority, Said, answering, behind_tls, make_authority
from tests.support.live import MASTER, QUERY, LiveServer

KEY = "AbCd-secret/Key+1&é"  # of characters that each format escapes in its own way


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A certificate authority of our own."""
    return make_authority(tmp_path_factory.mktemp("authority"))


def assert_masked(told: str) -> None:
    """No key, and of signatures only that they are there."""
    assert MASTER not in told.lower()
    assert "sig=****" in told
    assert all(set(found) <= {"*"} for found in re.findall(r"sig=([^&\s\"#]*)", told))


def run(*arguments: str) -> int:
    return main(["conformance", *arguments])


def test_a_sound_endpoint_ends_with_0_and_a_line_of_counts(
    filled: LiveServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--base-url", filled.url, "--key", MASTER, "--query-key", QUERY) == 0
    out, err = capsys.readouterr()
    assert not err
    assert_masked(out)
    lines = out.splitlines()
    # At both ends: a report is longer than a screen.
    assert lines[2] == lines[-1] == f"{len(RULES)} rules: {len(RULES) - 4} kept, 0 broken, 4 not judged"
    assert all(f"  {rule.id} " in out for rule in RULES)
    assert f"{'not judged':10}  {'5.unavailable':24} 503 has Retry-After. - no answer was a 503" in out
    assert len([line for line in lines if line.startswith("  kept")]) == len(RULES) - 4


def test_keys_come_from_standard_input_a_line_each(
    bare: LiveServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{MASTER}\r\n{QUERY}\n"))
    assert run("--base-url", f"{bare.url}/REST/v1/", "--key", "-", "--query-key", "-", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert {rule["verdict"] for rule in told["rules"] if rule["id"] == "6.query-key"} == {"kept"}


def test_a_line_of_standard_input_that_is_no_utf_8_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xff\xfe\n"), encoding="utf-8"))
    assert run("--base-url", "https://a", "--key", "-") == 1
    assert capsys.readouterr().err == "--key, --query-key: must be UTF-8\n"


def test_the_report_for_machines_has_its_schema(bare: LiveServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--base-url", bare.url, "--key", MASTER, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert list(told) == ["schema", "baseUrl", "askedAt", "requests", "stopped", "jobList", "counts", "rules"]
    assert (told["schema"], told["baseUrl"], told["stopped"]) == (1, bare.url, None)
    assert [rule["id"] for rule in told["rules"]] == [rule.id for rule in RULES]
    counted = {"kept": 0, "broken": 0, "notJudged": 0}
    for rule in told["rules"]:
        assert list(rule) == ["id", "section", "rule", "verdict", "lookedAt", "reason", "evidence"]
        counted[{"kept": "kept", "broken": "broken", "not judged": "notJudged"}[rule["verdict"]]] += 1
        assert bool(rule["reason"]) == (rule["verdict"] == "not judged")
        assert [list(each) for each in rule["evidence"]] == [["request", "shows", "wrong"]] * (not rule["reason"])
    assert told["counts"] == counted


def test_a_broken_rule_ends_with_1_and_shows_the_bytes(capsys: pytest.CaptureFixture[str]) -> None:
    body = b'{"copyright":"c","authenticationResultCode":"ValidCredentials","statusCode":200}'
    with answering(lambda _: Said(body)) as (url, _):
        assert run("--base-url", url, "--key", "some-key") == 1
    out = capsys.readouterr().out
    shown = out.partition("  BROKEN      2.json-order")[2].splitlines()[1:3]
    assert shown[0].endswith("GET Dataflows/ListJobs?key=KEY: copyright, authenticationResultCode, statusCode")
    assert shown[1].strip().startswith("-> the order should be authenticationResultCode, brandLogoUri")


@pytest.mark.parametrize(("flags", "outcome"), [((), "BROKEN"), (("--as-documented",), "not judged")])
def test_what_the_documents_have_otherwise_is_judged_unless_it_is_asked_not_to(
    flags: tuple[str, ...], outcome: str, capsys: pytest.CaptureFixture[str]
) -> None:
    body = b'<Response xmlns="http://schemas.microsoft.com/search/local/ws/rest/v1" />'
    with answering(lambda _: Said(body)) as (url, _):
        assert run("--base-url", url, "--key", "some-key", *flags) == 1
    assert f"  {outcome:10}  2.xml-declaration " in capsys.readouterr().out


def test_who_reads_no_more_is_told_no_more(bare: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as nobody:
        monkeypatch.setattr("sys.stdout", nobody)
        assert run("--base-url", bare.url, "--key", MASTER) == 0


def test_a_base_url_may_have_a_path() -> None:
    with answering(lambda _: Said(b"{}")) as (url, asked):
        assert run("--base-url", f"{url}/sds/rest/V1/", "--key", "some-key") == 1
    assert asked
    assert all(each.split(" ")[1].lower().startswith("/sds/rest/v1/") for each in asked)


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        (("nobodys-key",), "refuses the key of --key: HTTP 401 Unauthorized, InvalidCredentials."),
        ((QUERY,), "takes the key of --key for a query key, and a master key is needed."),
        (
            (MASTER, "--query-key", "nobodys-key"),
            "refuses the key of --query-key: HTTP 401 Unauthorized, InvalidCredentials.",
        ),
    ],
)
def test_a_key_that_is_refused_is_one_line_and_not_many_broken_rules(
    bare: LiveServer, capsys: pytest.CaptureFixture[str], keys: tuple[str, ...], told: str
) -> None:
    assert run("--base-url", bare.url, "--key", *keys) == 1
    assert capsys.readouterr() == ("", f"{bare.url} {told}\n")
    assert run("--base-url", bare.url, "--json", "--key", *keys) == 1
    assert json.loads(capsys.readouterr().out) == {"schema": 1, "error": f"{bare.url} {told}"}


def test_on_a_terminal_keys_are_asked_for_and_not_shown(
    bare: LiveServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    asked: list[str] = []

    def typed_unseen(prompt: str, _: object) -> str:
        asked.append(prompt)
        return MASTER if prompt == "Key: " else QUERY

    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("proxy.cli.keys.getpass", typed_unseen)
    assert run("--base-url", bare.url, "--key", "-", "--query-key", "-") == 0
    assert asked == ["Key: ", "Query key: "]
    assert MASTER not in capsys.readouterr().out


def test_progress_is_shown_on_a_terminal_alone(bare: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for stream, shown in ((Terminal(), True), (io.StringIO(), False)):
        monkeypatch.setattr("sys.stderr", stream)
        assert run("--base-url", bare.url, "--key", MASTER) == 0
        assert ("asking" in stream.getvalue()) == ("judging" in stream.getvalue()) == shown


def test_an_authority_of_ones_own_and_an_address_for_a_name(
    bare: LiveServer, authority: Authority, capsys: pytest.CaptureFixture[str]
) -> None:
    names: list[str | None] = []
    with behind_tls(authority, bare.port, names) as port:
        base = ("--base-url", f"https://{HOST}:{port}", "--key", MASTER)
        trusting = ("--ca-file", str(authority.certificate))
        assert run(*base, *trusting, "--resolve", f"{HOST}:{port}:127.0.0.1") == 0
        assert capsys.readouterr().out.startswith(f"Wire contract, asked of https://{HOST}:{port} on ")
        assert set(names) == {HOST}
        assert run(*base, "--resolve", f"{HOST}:127.0.0.1") == 1
        assert re.fullmatch(
            rf"https://{HOST}:{port} could not be asked: its certificate is not trusted: [^\n]+\.\n",
            capsys.readouterr().err,
        )
        # The certificate is for another name.
        assert run("--base-url", f"https://127.0.0.1:{port}", "--key", MASTER, *trusting) == 1
        assert "its certificate is not trusted" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--base-url", "spatial.virtualearth.net", "--key", "k"), "--base-url: must be like"),
        (("--base-url", "ftp://a", "--key", "k"), "--base-url: must be like"),
        (("--base-url", "https://user:word@a", "--key", "k"), "--base-url: must be like"),
        (("--base-url", "https://a:99999", "--key", "k"), "--base-url: must be like"),
        (("--base-url", "https://a?x=1", "--key", "k"), "--base-url: must have no query"),
        (("--base-url", "https://a", "--key", ""), "--key: must not be empty"),
        (("--base-url", "https://a", "--key", "k\udcff"), "--key, --query-key: must be UTF-8"),
        (("--base-url", "https://a", "--key", "k", "--query-key", "k\udcff"), "--key, --query-key: must be UTF-8"),
        (("--base-url", "https://a", "--key", "k", "--resolve", "a"), "--resolve: must be"),
        (("--base-url", "https://a", "--key", "k", "--resolve", "a:443:b"), "--resolve: must be"),
        (("--base-url", "https://a", "--key", "k", "--resolve", "*:443:127.0.0.1"), "--resolve: must be"),
        (("--base-url", "https://a", "--key", "k", "--resolve", "+a:443:127.0.0.1"), "--resolve: must be"),
        (("--base-url", "https://a", "--key", "k", "--resolve", "a:70000:127.0.0.1"), "--resolve: must be"),
        (("--base-url", "https://a", "--key", "k", "--resolve", "A:80:127.0.0.1"), "--resolve: gives no address for"),
        (("--base-url", "https://a", "--key", "k", "--ca-file", "/nowhere.pem"), "--ca-file: no certificate"),
    ],
)
def test_a_wrong_argument_is_one_line(
    arguments: tuple[str, ...], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments) == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Spatial.contoso.example:127.0.0.2", (("spatial.contoso.example", 8443), "127.0.0.2")),
        ("a:443:127.0.0.2", (("a", 443), "127.0.0.2")),
        ("a:443:[2001:db8::1]", (("a", 443), "2001:db8::1")),
        ("a:[::1]", (("a", 8443), "::1")),
    ],
)
def test_an_address_for_a_name_is_written_as_for_curl(text: str, found: tuple[tuple[str, int], str]) -> None:
    assert parse_resolve(text, 8443) == found


@pytest.mark.parametrize("timeout", ["0", "-1", "nan", "601", "soon"])
def test_a_timeout_is_some_seconds(timeout: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run("--base-url", "https://a", "--key", "k", "--timeout", timeout)
    assert "--timeout" in capsys.readouterr().err


def test_an_authority_file_without_a_certificate_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "empty.pem"
    file.write_text("nothing")
    assert run("--base-url", "https://a", "--key", "k", "--ca-file", str(file)) == 1
    assert capsys.readouterr().err.startswith("--ca-file: no certificate can be read")


def echo(path: str) -> Said:
    """Tells the key wherever it can: as it came, decoded, escaped, in headers and links."""
    plain = f"{KEY} {KEY.swapcase()} {KEY.upper()} {path}"
    link = f"http://127.0.0.1:1/a/b?sig=SeCrEt%2BsIgNaTuRe%3D&key={KEY}"
    job = {
        "__type": "DataflowJob:x",
        "id": f"id-{KEY}",
        "links": [{"role": "output", "name": "succeeded", "url": link}, {"role": KEY, "url": KEY}],
        "description": "Geocode",
        "status": "Completed",
        "name": KEY,
        "createdDate": plain,
    }
    envelope = {
        KEY: KEY,
        "authenticationResultCode": plain,
        "errorDetails": [plain],
        "resourceSets": [{"estimatedTotal": KEY, "resources": [job]}],
        "traceId": plain,
    }
    headers = (("Content-Type", f"text/{path}"), ("Location", link.encode().decode("latin-1")))
    return Said(json.dumps(envelope).encode(), 404 if "NoSuch" in path else 200, headers)


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_key_that_the_endpoint_tells_is_masked_everywhere(
    form: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with answering(echo) as (url, _):
        assert run("--base-url", url, "--key", KEY, *form) == 1
    out, err = capsys.readouterr()
    text = (json.dumps(json.loads(out), ensure_ascii=False) if form else out).lower() + err.lower()
    assert "secret" not in text.replace("5.no-secrets", "")
    assert "signature" not in text.replace("a signature", "")
    assert "it tells a key" in text
