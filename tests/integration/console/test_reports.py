"""The pages of the reports of `migrate` and `compare`: their folder may hold anything."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from proxy.operations import report_files
from tests.integration.console.conftest import StartConsole
from tests.support.console import LiveConsole
from tests.support.storage import Storage
from tests.support.written_reports import LEFT, RIGHT, compared, migrated

COMPARE, MIGRATE = "compare-20261127T101500Z.json", "migrate-20261126T080000Z.json"


def write(folder: Path, name: str, content: Any, age: float = 0) -> Path:
    """Writes a report, last changed so many seconds before now."""
    file = folder / name
    if isinstance(content, bytes):
        file.write_bytes(content)
    else:
        file.write_text(json.dumps(content, indent=2))
    moment = 1_800_000_000 - age
    os.utime(file, (moment, moment))
    return file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the console's reports."""
    made = tmp_path / "reports"
    made.mkdir()
    return made


@pytest.fixture
def console(storage: Storage, folder: Path, open_console: StartConsole) -> LiveConsole:
    """A console that shows them."""
    return open_console(storage, reports_dir=folder)


def rows(console: LiveConsole, path: str, table: str) -> list[list[str]]:
    """The texts of a table's rows."""
    found = console.page(path).xpath("//*[@aria-label=$table]//tbody/tr", table=table)
    return [[" ".join(cell.text_content().split()) for cell in row] for row in found]


def test_without_a_folder_the_page_says_how_to_name_one(storage: Storage, open_console: StartConsole) -> None:
    console = open_console(storage)
    assert "PROXY_REPORTS_DIR is not set" in console.text("/reports")
    assert (console.get(f"/reports/{COMPARE}").status_code) == 404


def test_a_folder_that_cant_be_read_is_named(storage: Storage, folder: Path, open_console: StartConsole) -> None:
    console = open_console(storage, reports_dir=folder / "missing")
    assert f"{folder / 'missing'}: can't be read: No such file or directory." in console.text("/reports")


def test_the_reports_are_listed_the_newest_first(console: LiveConsole, folder: Path) -> None:
    assert "There are no reports" in console.text("/reports")
    write(folder, MIGRATE, migrated(), age=86_400)
    write(folder, COMPARE, compared())
    write(folder, "compare-stopped.json", compared() | {"stopped": "by the user", "same": False}, age=5)
    for other in ("state.json", "compare-.json", "notes.txt", "compare-x.json.bak"):
        write(folder, other, {})
    assert [row[:-1] for row in rows(console, "/reports", "Reports")] == [
        ["2027-01-15 08:00:00", "compare", f"{LEFT} and {RIGHT}", "not the same", "5", "2", "1"],
        ["2027-01-15 07:59:55", "compare", f"{LEFT} and {RIGHT}", "stopped", "5", "2", "1"],
        ["2027-01-14 08:00:00", "migrate", f"{LEFT} to contoso", "not the same", "2", "2", "0"],
    ]
    links = console.page("/reports").xpath("//tbody//a/@href")
    assert links == [f"/reports/{name}" for name in (COMPARE, "compare-stopped.json", MIGRATE)]


def test_a_comparison_is_shown(console: LiveConsole, folder: Path) -> None:
    write(folder, COMPARE, compared(with_values=True))
    path = f"/reports/{COMPARE}"
    assert ["Shops", "120 / 119", "0", "2", "1"] in rows(console, path, "What was compared")
    first, _ = rows(console, path, "What differs")
    assert first[:2] == ["Shops", "first entities, page 0"]
    assert first[2].startswith("d.results[0].AddressLine differs left Main Street 1right Main Street 2")
    assert first[2].endswith("7 members in all")
    why = "the left side answers HTTP 503, throttled"
    assert rows(console, path, "What can't be compared") == [["Shops", "near the first entity", why]]
    assert "without the loads that made copies" in console.text(path)


def test_a_comparison_without_differences_is_the_same(console: LiveConsole, folder: Path) -> None:
    report = compared(questions=0)
    write(folder, COMPARE, report | {"same": True, "questions": [], "notes": []})
    text = console.text(f"/reports/{COMPARE}")
    assert ("What differs" in text, "Notes" in text) == (False, False)
    assert "same 5 same, 0 different" in text


def test_a_migration_is_shown(console: LiveConsole, folder: Path) -> None:
    write(folder, MIGRATE, migrated() | {"dry_run": True, "stopped": "no room"})
    path = f"/reports/{MIGRATE}"
    assert rows(console, path, "Data sources") == [
        ["Shops0", "same", "1,200", "34.0 KB", "2 s", ""],
        ["Shops1", "same", "1,200", "34.0 KB", "2 s", ""],
        ["Shops staged", "different", "7", "900 bytes", "0 s", "3 entities differ"],
        ["Shops-gone", "not copied", "not known", "", "0 s", "HTTP 404"],
    ]
    assert rows(console, path, "Not migrated") == [["the key of Shops", "nobody can query it", "Set a query key"]]
    text = console.text(path)
    for words in ("job 7: its output is gone", "Shops is open to every key", "ended early: no room", "a dry run"):
        assert words in text
    write(folder, MIGRATE, migrated() | {"data_sources": [], "left_behind": [], "warnings": []})
    assert "None were copied" in console.text(path)


def test_the_file_can_be_downloaded(console: LiveConsole, folder: Path) -> None:
    written = write(folder, COMPARE, compared())
    response = console.get(f"/reports/{COMPARE}/file")
    assert (response.content, response.headers["Content-Type"]) == (written.read_bytes(), "application/json")
    assert response.headers["Content-Disposition"] == f'attachment; filename="{COMPARE}"'


def test_much_of_everything_is_bounded(console: LiveConsole, folder: Path) -> None:
    text = "<script>" * 40
    write(folder, COMPARE, compared(with_values=True, questions=500, text=text))
    write(folder, MIGRATE, migrated(sources=5000, text=text))
    for name in (COMPARE, MIGRATE):
        page = console.get(f"/reports/{name}")
        assert (page.status_code, len(page.content) < 200_000, "<script>" in page.text) == (200, True, False)
        assert "are left out here" in page.text
    for number in range(120):
        write(folder, f"compare-{number:03}.json", compared(questions=0), age=number + 1)
    page = console.get("/reports")
    assert (len(page.content) < 200_000, "22 older reports are left out" in page.text) == (True, True)


BROKEN = {
    "empty": b"",
    "no JSON": b"<html>",
    "cut off": json.dumps(compared()).encode()[:-20],
    "no UTF-8": b'{"schema": "\xff"}',
    "no object": b"[1]",
    "another command": json.dumps(compared() | {"command": "check"}).encode(),
    "a later schema": json.dumps(compared() | {"schema": 2}).encode(),
    "a wrong member": json.dumps(compared() | {"about": ["<b>"] * 100_000}).encode(),
    "a member with markup": json.dumps(compared() | {"about": [{"<b>": 1}]}).encode(),
    "half a character": json.dumps(compared() | {"left": "\ud800"}).encode(),
    "deep": b'{"command": "compare", "left": ' + b"[" * 1_000_000,
    "a long number": b'{"command": "compare", "seconds": ' + b"9" * 10_000 + b"}",
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_file_that_is_no_report_gets_a_sentence(case: str, console: LiveConsole, folder: Path) -> None:
    write(folder, COMPARE, BROKEN[case])
    write(folder, MIGRATE, migrated(), age=10)
    page = console.text(f"/reports/{COMPARE}")
    assert "no report that this version can show" in page
    broken, sound = rows(console, "/reports", "Reports")
    assert "no report that this version can show" in broken[2]
    assert sound[3] == "not the same"
    assert console.get(f"/reports/{COMPARE}/file").content == BROKEN[case]


@pytest.mark.parametrize(
    ("begin", "members"),
    [
        (compared, {"startedAt": "0001-01-01T00:00:00+14:00"}),
        (compared, {"startedAt": "9999-12-31T23:59:59-14:00"}),
        (compared, {"counts": {"same": 10**400, "different": 0, "not comparable": 0}}),
        (migrated, {"jobs": migrated()["jobs"] | {"output_bytes": 10**400}}),
        (migrated, {"data_sources": [migrated()["data_sources"][0] | {"bytes": -(10**400)}]}),
    ],
)
def test_numbers_and_times_beyond_all_bounds_get_a_sentence(
    begin: Callable[[], dict[str, Any]], members: dict[str, Any], console: LiveConsole, folder: Path
) -> None:
    report = begin() | members
    name = f"{report['command']}-1.json"
    (folder / name).write_text(json.dumps(report))
    assert "no report that this version can show" in console.text(f"/reports/{name}")
    assert "no report that this version can show" in console.text("/reports")


def test_a_huge_file_is_not_read(console: LiveConsole, folder: Path) -> None:
    write(folder, COMPARE, b"")
    os.truncate(folder / COMPARE, 40 * 1024**3)
    assert report_files.TOO_LARGE in console.text("/reports")
    for path in (f"/reports/{COMPARE}", f"/reports/{COMPARE}/file"):
        response = console.get(path)
        assert (response.status_code, "larger than 20 MB" in response.text) == (404, True)


def test_a_list_of_large_reports_reads_some(
    console: LiveConsole, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = write(folder, COMPARE, compared()).stat().st_size
    write(folder, "compare-b.json", compared(), age=5)
    monkeypatch.setattr(report_files, "LIST_BYTES", size + 5)
    newest, older = rows(console, "/reports", "Reports")
    assert (newest[3], older[2]) == ("not the same", report_files.NOT_READ_HERE)


def test_only_files_of_the_folder_are_read(console: LiveConsole, folder: Path, tmp_path: Path) -> None:
    outside = write(tmp_path, "compare-outside.json", compared(text="Elsewhere"))
    (folder / "compare-link.json").symlink_to(outside)
    (folder / "compare-dir.json").mkdir()
    os.mkfifo(folder / "compare-pipe.json")
    assert "There are no reports" in console.text("/reports")
    for name in (
        *(
            "compare-link.json",
            "compare-dir.json",
            "compare-pipe.json",
            "compare-none.json",
            "..%2fcompare-outside.json",
        ),
        *("%2e%2e%2fcompare-outside.json", "%2e%2e", "compare-%00.json", "compare-a%0a.json", "compare-%C3%A4.json"),
        *("%2Fetc%2Fpasswd", "compare-" + "x" * 5000 + ".json"),
    ):
        for path in (f"/reports/{name}", f"/reports/{name}/file"):
            response = console.get(path)
            assert (response.status_code, "Elsewhere" in response.text) == (404, False), path


def test_a_dry_run_compares_nothing_so_nothing_is_the_same_or_different(console: LiveConsole, folder: Path) -> None:
    report = migrated()
    report["dry_run"], report["same"] = True, True
    for source in report["data_sources"]:
        source["result"] = "to copy"
    write(folder, MIGRATE, report)
    (line,) = rows(console, "/reports", "Reports")
    assert line[3:6] == ["dry run", "0", "0"]
    assert f"dry run {len(report['data_sources'])} to copy, 0 same, 0 different" in console.text(f"/reports/{MIGRATE}")
