"""`python -m proxy conformance`: output, exit status, keys, TLS and arguments."""

import io
import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from proxy.conformance.rules import RULES
from tests.integration.conformance.endpoints import Answer, behind_tls, run, scripted
from tests.support.entra import make_certificate
from tests.support.live import MASTER, QUERY, LiveServer


class Terminal(io.StringIO):
    """A stream that claims to be a terminal."""

    def isatty(self) -> bool:
        return True


def test_sound_endpoint_ends_with_0_and_a_line_of_counts(
    filled: LiveServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--base-url", filled.url, "--key", MASTER, "--query-key", QUERY) == 0
    out, err = capsys.readouterr()
    assert not err
    assert MASTER not in out.lower()
    assert "sig=****" in out
    assert all(set(found) <= {"*"} for found in re.findall(r"sig=([^&\s\"#]*)", out))
    lines = out.splitlines()
    assert lines[2] == lines[-1] == f"{len(RULES)} rules: {len(RULES) - 4} passed, 0 failed, 4 skipped"
    assert all(f"  {rule.id} " in out for rule in RULES)
    assert "  skipped  5.unavailable            503 has Retry-After. - no job or answer shows it" in lines
    assert len([line for line in lines if line.startswith("  passed")]) == len(RULES) - 4


def test_json_report_has_its_members(bare: LiveServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--base-url", bare.url, "--key", MASTER, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert list(report) == ["schema", "baseUrl", "askedAt", "requests", "stopped", "jobList", "counts", "rules"]
    assert (report["schema"], report["baseUrl"], report["stopped"]) == (1, bare.url, None)
    assert [rule["id"] for rule in report["rules"]] == [rule.id for rule in RULES]
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for rule in report["rules"]:
        assert list(rule) == ["id", "section", "rule", "verdict", "lookedAt", "reason", "evidence"]
        counts[rule["verdict"]] += 1
        assert bool(rule["reason"]) == (rule["verdict"] == "skipped")
        assert [list(each) for each in rule["evidence"]] == [["request", "shows", "wrong"]] * (not rule["reason"])
    assert report["counts"] == counts


def test_failed_rule_ends_with_1_and_shows_evidence(capsys: pytest.CaptureFixture[str]) -> None:
    body = b'{"copyright":"c","authenticationResultCode":"ValidCredentials","statusCode":200}'
    with scripted(lambda _: Answer(body)) as (url, _):
        assert run("--base-url", url, "--key", "some-key") == 1
    shown = capsys.readouterr().out.partition("  FAILED   2.json-order")[2].splitlines()[1:3]
    assert shown[0].strip().startswith("GET Dataflows/ListJobs?key=KEY: HTTP 200 OK, copyright, authenticationResult")
    assert shown[1].strip().startswith("-> the order should be authenticationResultCode, brandLogoUri")


@pytest.mark.parametrize(("flags", "outcome"), [((), "FAILED"), (("--as-documented",), "skipped")])
def test_as_documented_skips_documented_forms(
    flags: tuple[str, ...], outcome: str, capsys: pytest.CaptureFixture[str]
) -> None:
    body = b'<Response xmlns="http://schemas.microsoft.com/search/local/ws/rest/v1" />'
    with scripted(lambda _: Answer(body)) as (url, _):
        assert run("--base-url", url, "--key", "some-key", *flags) == 1
    assert f"  {outcome:7}  2.xml-declaration " in capsys.readouterr().out


def test_closed_pipe_keeps_the_exit_status(bare: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as nobody:
        monkeypatch.setattr("sys.stdout", nobody)
        assert run("--base-url", bare.url, "--key", MASTER) == 0
    monkeypatch.setattr("sys.stdout", None)
    assert run("--base-url", bare.url, "--key", MASTER) == 0


def test_base_url_may_have_a_path() -> None:
    with scripted(lambda _: Answer(b"{}")) as (url, requests):
        assert run("--base-url", f"{url}/sds/rest/V1/", "--key", "some-key") == 1
    assert requests
    assert all(request.split(" ")[1].lower().startswith("/sds/rest/v1/") for request in requests)


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        (("nobodys-key",), "refuses the key of --key: HTTP 401 Unauthorized, InvalidCredentials."),
        ((QUERY,), "accepts the key of --key as a query key; a master key is needed."),
        (
            (MASTER, "--query-key", "nobodys-key"),
            "refuses the key of --query-key: HTTP 401 Unauthorized, InvalidCredentials.",
        ),
    ],
)
def test_refused_key_is_one_line(
    bare: LiveServer, capsys: pytest.CaptureFixture[str], keys: tuple[str, ...], text: str
) -> None:
    assert run("--base-url", bare.url, "--key", *keys) == 1
    assert capsys.readouterr() == ("", f"{bare.url} {text}\n")
    assert run("--base-url", bare.url, "--json", "--key", *keys) == 1
    assert json.loads(capsys.readouterr().out) == {"schema": 1, "error": f"{bare.url} {text}"}


def test_keys_come_from_lines_of_standard_input(
    bare: LiveServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ("--base-url", f"{bare.url}/REST/v1/", "--key", "-", "--query-key", "-", "--json")
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{MASTER}\r\n{QUERY}\n"))
    assert run(*arguments) == 0
    report = json.loads(capsys.readouterr().out)
    assert {rule["verdict"] for rule in report["rules"] if rule["id"] == "6.query-key"} == {"passed"}
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xff\xfe\n"), encoding="utf-8"))
    assert run(*arguments) == 1
    assert capsys.readouterr().err == "--key, --query-key: must be UTF-8\n"


def test_keys_on_a_terminal_are_not_echoed(
    bare: LiveServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = {"Key: ": MASTER, "Query key: ": QUERY}
    getpass: Callable[[str, object], str] = lambda prompt, _: typed.pop(prompt)  # noqa: E731 - one line of a test
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("proxy.cli.keys.key_input.getpass", getpass)
    assert run("--base-url", bare.url, "--key", "-", "--query-key", "-") == 0
    assert typed == {}
    assert MASTER not in capsys.readouterr().out


@pytest.mark.parametrize(("stream", "is_shown"), [(Terminal(), True), (io.StringIO(), False)])
def test_progress_is_shown_on_a_terminal_only(
    stream: io.StringIO, *, is_shown: bool, bare: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr", stream)
    assert run("--base-url", bare.url, "--key", MASTER) == 0
    assert ("asking" in stream.getvalue()) == ("judging" in stream.getvalue()) == is_shown


def test_ca_file_and_resolve_reach_an_endpoint_before_dns(
    bare: LiveServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names: list[str | None] = []
    host, other = "spatial.contoso.example", "other.contoso.example"
    certificate = make_certificate(tmp_path, host)
    with behind_tls(certificate, bare.port, names) as port:
        url = f"https://{host}:{port}"
        trusting = ("--key", MASTER, "--ca-file", str(certificate.certificate))
        assert run("--base-url", url, *trusting, "--resolve", f"{host}:{port}:127.0.0.1") == 0
        assert capsys.readouterr().out.startswith(f"Wire contract, checked at {url} on ")
        assert set(names) == {host}
        untrusted = "can't be reached: its certificate is not trusted: "
        assert run("--base-url", url, "--key", MASTER, "--resolve", f"{host}:127.0.0.1") == 1
        assert capsys.readouterr().err.startswith(f"{url} {untrusted}")
        assert run("--base-url", f"https://{other}:{port}", *trusting, "--resolve", f"{other}:127.0.0.1") == 1
        assert untrusted in capsys.readouterr().err


BASE = ("--base-url", "https://a", "--key", "k")


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
        ((*BASE, "--query-key", "k\udcff"), "--key, --query-key: must be UTF-8"),
        ((*BASE, "--resolve", "A:80:127.0.0.1"), "--resolve: gives no address for port 443 of a"),
        ((*BASE, "--ca-file", "/nowhere.pem"), "--ca-file: no certificate can be read"),
    ],
)
def test_wrong_argument_is_one_line(arguments: tuple[str, ...], text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*arguments) == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith(text)


def test_ca_file_without_certificate_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "empty.pem"
    file.write_text("nothing")
    assert run(*BASE, "--ca-file", str(file)) == 1
    assert capsys.readouterr().err.startswith("--ca-file: no certificate can be read")


@pytest.mark.parametrize("timeout", ["0", "-1", "nan", "601", "soon"])
def test_timeout_outside_its_range_is_refused(timeout: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run(*BASE, "--timeout", timeout)
    assert "--timeout" in capsys.readouterr().err
