"""The command `compare`, as an operator runs it."""

import io
import json
import stat
from pathlib import Path

import pytest

from proxy.cli.main import main
from tests.integration.conformance.endpoints import behind_tls
from tests.support.entra import make_certificate
from tests.support.live import MASTER, QUERY, LiveServer
from tests.support.stub_servers import closed_port


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{MASTER}\n{MASTER}\n"))


def test_two_servers_of_one_account_are_the_same(
    sides: tuple[LiveServer, LiveServer], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    arguments = ["--left", sides[0].url, "--right", sides[1].url, "--key", "-", "--queries", "20", "--right-key", "-"]
    status = main(["compare", *arguments, "--reports", str(tmp_path), "--html", str(page)])
    printed = capsys.readouterr()
    (saved,) = tmp_path.glob("compare-*.json")
    report = json.loads(saved.read_text())
    assert (status, report["questions"]) == (0, []), printed.out
    assert report["counts"]["same"] > 80
    (note,) = report["notes"]
    assert note.startswith("both sides are this program")
    assert {each["name"]: each["entities"] for each in report["about"]}["Many"] == [300, 300]
    assert "Many: asked" in printed.err
    assert "Nothing differs." in page.read_text()
    for path in (saved, page):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert MASTER not in path.read_text()
    assert MASTER not in printed.out + printed.err


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--left", "http://spatial.example.net"], "--left: must be https"),
        (["--right", "nothing"], "--right: must be like"),
        (["--connect-to", "middle=127.0.0.1"], "--connect-to: must be ADDRESS"),
        (["--connect-to", "right=here"], "--connect-to: must be an IP address"),
        (["--key", ""], "--key: must not be empty"),
        (["--key", "wrong"], "HTTP 401 Unauthorized: "),
        (["--ca-file", "/nowhere"], "--ca-file: no certificate"),
    ],
)
def test_mistake_is_one_line(
    sides: tuple[LiveServer, LiveServer],
    tmp_path: Path,
    arguments: list[str],
    problem: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    usual = ["--left", sides[0].url, "--right", sides[1].url, "--key", "-", "--reports", str(tmp_path)]
    assert main(["compare", *usual, *arguments]) == 1
    error = capsys.readouterr().err
    assert problem in error
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_endpoint_that_does_not_answer_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with closed_port() as port:
        url = f"http://127.0.0.1:{port}"
        assert main(["compare", "--left", url, "--right", url, "--key", "-", "--json"]) == 1
    printed = capsys.readouterr()
    assert printed.err == f"{url}: the connection is refused\n"
    assert json.loads(printed.out) == {"schema": 1, "error": f"{url}: the connection is refused"}


def test_side_behind_tls_is_asked_at_another_address_and_refused_without_trust(
    sides: tuple[LiveServer, LiveServer], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    host = "spatial.contoso.example"
    certificate = make_certificate(tmp_path, host)
    names: list[str | None] = []
    with behind_tls(certificate, sides[0].port, names) as port:
        usual = ["compare", "--left", f"https://{host}", "--right", sides[1].url, "--key", MASTER, "--quick"]
        usual += ["--connect-to", f"127.0.0.1:{port}", "--reports", str(tmp_path), "--data-sources", "Areas*"]
        assert main([*usual, "--ca-file", str(certificate.certificate), "--queries", "5"]) == 0
        assert set(names) == {host}
        capsys.readouterr()
        assert main(usual) == 1
    assert capsys.readouterr().err.startswith(f"https://{host}: its certificate is not trusted: ")


def test_difference_ends_with_1_and_a_page_for_its_owner_only(
    sides: tuple[LiveServer, LiveServer], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A query key may list jobs and read information, but not the status of a load."""
    keys = ["--key", MASTER, "--right-key", QUERY, "--data-sources", "Areas*", "--queries", "0", "--json"]
    arguments = ["--left", sides[0].url, "--right", sides[1].url, *keys, "--reports", str(tmp_path)]
    assert main(["compare", *arguments, "--html", str(tmp_path / "page.html")]) == 1
    report = json.loads(capsys.readouterr().out)
    assert {member["path"] for each in report["questions"] for member in each["members"]} >= {"status"}
    assert {each["verdict"] for each in report["questions"]} == {"different"}
    assert not [each for each in report["questions"] for member in each["members"] if "left" in member]
    assert "not shown to be the same" in (tmp_path / "page.html").read_text()
    for path in tmp_path.iterdir():
        assert MASTER not in path.read_text()
        assert QUERY not in path.read_text()


def test_report_that_can_not_be_saved_is_one_line(
    sides: tuple[LiveServer, LiveServer], capsys: pytest.CaptureFixture[str]
) -> None:
    usual = ["--left", sides[0].url, "--right", sides[1].url, "--key", "-", "--data-sources", "None*"]
    assert main(["compare", *usual, "--reports", "/nowhere/at/all"]) == 1
    assert capsys.readouterr().err.endswith("No such file or directory\n")
