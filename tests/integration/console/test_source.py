"""The page of one data source, and the changes of it."""

import json

import pytest

from adapters.model.jobs import JobStatus, JobType
from tests.integration.console.conftest import StartConsole
from tests.support.audited_changes import changes
from tests.support.console import LiveConsole
from tests.support.source_pages import assert_small, base, links, load_versions, table
from tests.support.storage import Storage
from tests.support.worker_desk import Desk, play, shops

CHANGES = ("publish", "roll-back", "access", "delete", "delete-staged")


@pytest.fixture
def versions(storage: Storage) -> list[str]:
    """The ids of the jobs that made the earlier, the published and the staged version."""
    return load_versions(storage)


def follow(storage: Storage, console: LiveConsole, path: str, notice: str, **fields: str) -> JobType:
    """Confirms a change; the type of the job that it leads to, which has then done it."""
    response = console.confirm(f"{base(storage)}/{path}", **fields)
    target = response.headers["location"]
    prefix = f"/accounts/{storage.account}/jobs/"
    assert (response.status_code, target.startswith(prefix), target.endswith(f"?notice={notice}")) == (303, True, True)
    job_id = target.removeprefix(prefix).partition("?")[0]
    found = list[JobType]()

    async def work(desk: Desk) -> None:
        await desk.work()
        record = await desk.record(job_id)
        assert record.status is JobStatus.COMPLETED
        found.append(record.job_type)

    play(storage, work)
    return found[0]


def published(storage: Storage) -> set[str]:
    """The ids of the entities of the published version."""
    found = set[str]()

    async def read(desk: Desk) -> None:
        found.update(await desk.published())

    play(storage, read)
    return found


def test_versions_are_shown_with_the_jobs_that_made_them(
    storage: Storage, console: LiveConsole, versions: list[str]
) -> None:
    earlier, current, staged = versions
    page = console.page(base(storage, "sHOPS"))
    assert page.xpath("string(//h1)").split()[-1] == "Shops"
    rows = table(page, "Versions")
    assert [(row[0], row[2], row[5]) for row in rows] == [
        ("published", "3", current),
        ("staged", "1", staged),
        ("earlier", "1", earlier),
    ]
    assert all(row[3].endswith("KB") for row in rows)
    assert links(page, current) == [f"/accounts/{storage.account}/jobs/{current}"]
    assert table(page, "Schema") == [
        ["Id", "Edm.String"],
        ["Note", "Edm.String"],
        ["Latitude", "Edm.Double"],
        ["Longitude", "Edm.Double"],
    ]
    assert console.text(f"{base(storage)}?version={earlier.upper()}").count("Schema of the earlier version") == 1


def test_the_staged_version_is_published(storage: Storage, console: LiveConsole, versions: list[str]) -> None:
    assert versions[2] in console.text(f"{base(storage)}/publish")
    assert follow(storage, console, "publish", "published") is JobType.PUBLISH
    assert published(storage) == {"e"}
    (entry,) = changes(storage)
    assert entry[:3] == ("olga@example.com", "sources publish", "Shops")
    gone = console.get(f"{base(storage)}/publish")
    assert (gone.status_code, "has no staged version, or not any more" in gone.text) == (409, True)


def test_an_earlier_version_is_published_again(storage: Storage, console: LiveConsole, versions: list[str]) -> None:
    (link,) = links(console.page(base(storage)), "Roll back")
    assert link.endswith(f"/roll-back?version={versions[0]}")
    assert follow(storage, console, f"roll-back?version={versions[0]}", "rolled-back") is JobType.ROLLBACK
    assert published(storage) == {"a"}
    wrong = console.get(f"{base(storage)}/roll-back?version={versions[0]}")
    assert (wrong.status_code, "Only an earlier version" in wrong.text) == (409, True)
    assert console.get(f"{base(storage)}/roll-back").status_code == 409


def test_a_version_that_is_gone_is_not_rolled_back_to(
    storage: Storage, console: LiveConsole, versions: list[str]
) -> None:
    for version in (f"{versions[0][:-1]}x", "", "x" * 500):  # no id ends so
        response = console.post(
            f"{base(storage)}/roll-back", {"csrf": console.csrf(f"{base(storage)}/access"), "version": version}
        )
        assert response.status_code == 409
    assert console.get(f"{base(storage)}?version={'0' * 32}").status_code == 404
    assert "or not any more" in console.get(f"{base(storage)}/map?version=nope").text


@pytest.mark.usefixtures("versions")
def test_a_data_source_becomes_public_and_private(storage: Storage, console: LiveConsole) -> None:
    for verb, word in (("Make public", "public"), ("Make private", "private")):
        assert links(console.page(base(storage)), verb)
        assert follow(storage, console, "access", "access-set") is JobType.ACCESS
        assert table(console.page("/sources"), "Data sources")[0][1] == word
    csrf = console.csrf(f"{base(storage)}/access")
    assert console.post(f"{base(storage)}/access", {"csrf": csrf, "public": "maybe"}).status_code == 403


def test_only_the_name_deletes(storage: Storage, console: LiveConsole, versions: list[str]) -> None:
    page = console.page(f"{base(storage)}/delete")
    assert "Type Shops to confirm" in page.text_content()
    assert all(version in page.text_content() for version in versions)
    for word in ("", "shops", "Shop", "Shops2"):
        refused = console.confirm(f"{base(storage)}/delete", word=word)
        assert (refused.status_code, "nothing is deleted" in refused.text) == (409, True)
    assert follow(storage, console, "delete-staged", "deleted", word="Shops") is JobType.DELETE
    assert [row[0] for row in table(console.page(base(storage)), "Versions")] == ["published", "earlier"]
    assert console.get(f"{base(storage)}/delete-staged").status_code == 409
    assert follow(storage, console, "delete", "deleted", word=" Shops ") is JobType.DELETE
    assert console.get(base(storage)).status_code == 404


@pytest.mark.usefixtures("versions")
def test_a_data_source_that_is_being_deleted_says_so_and_is_not_changed(storage: Storage, console: LiveConsole) -> None:
    row = storage.data_source("shops")
    storage.data_source_row("shops", **{**row, "Deleting": "0" * 32})
    page = console.page(base(storage))
    assert links(page, "A job") == [f"/accounts/{storage.account}/jobs/{'0' * 32}"]
    assert console.confirm(f"{base(storage)}/access").status_code == 409


@pytest.mark.usefixtures("versions")
def test_a_change_needs_the_token_of_the_session(storage: Storage, console: LiveConsole) -> None:
    for part in CHANGES:
        assert console.post(f"{base(storage)}/{part}", {"word": "Shops", "public": "true"}).status_code == 403
    assert not changes(storage)


def test_read_only_shows_and_changes_nothing(storage: Storage, open_console: StartConsole, versions: list[str]) -> None:
    console = open_console(storage, console_read_only=True)
    page = console.page(base(storage))
    assert len(table(page, "Versions")) == len(versions)
    assert not [link for link in page.xpath("//main//a/@href") if link.rpartition("/")[2].partition("?")[0] in CHANGES]
    for part in CHANGES:
        assert console.post(f"{base(storage)}/{part}", {"word": "Shops"}).status_code == 403
    for part in ("", "/entities", "/map", "/query", "/entities.csv", "/entity?id=b"):
        assert console.get(f"{base(storage)}{part}").status_code == 200


@pytest.mark.parametrize("part", ["", "/entities", "/entity", "/entities.csv", "/map", "/query", "/publish", "/delete"])
def test_what_is_not_there_is_a_page_with_a_sentence(
    storage: Storage, console: LiveConsole, versions: list[str], part: str
) -> None:
    assert versions
    for path in (
        base(storage, "nope"),
        base(storage, "%3Cb%3E%00%F0"),
        base(storage, "x" * 2000),
        "/accounts/nobody/sources/Shops",
    ):
        response = console.get(path + part)
        assert response.status_code == 404
        assert "<b>" not in response.text.partition("<main")[2]


def test_rows_that_others_wrote_are_shown_as_text(storage: Storage, console: LiveConsole, versions: list[str]) -> None:
    assert versions
    row = storage.data_source("shops")
    storage.data_source_row(
        "odd", **{**row, "RowKey": "odd", "Name": "odd", "AccessId": "<b>" * 9000, "PublishedSchema": "{"}
    )
    text = assert_small(console, base(storage, "odd"))
    assert "The stored schema can't be read." in text
    for part in ("entities", "map", "entities.csv"):
        response = console.get(f"{base(storage, 'odd')}/{part}")
        assert (response.status_code, "its stored schema is" in response.text) == (409, True)
    many = (
        '{"name":"<b>","key":"<i>","properties":{'
        + ",".join(f'"<p{at}{"&" * 40}>":"String"' for at in range(440))
        + "}}"
    )
    storage.data_source_row("odd", **{**row, "RowKey": "odd", "Name": "odd", "PublishedSchema": many})
    page = console.page(base(storage, "odd"))
    assert len(table(page, "Schema")) == 400
    assert "40 properties are left out" in page.text_content()
    assert_small(console, base(storage, "odd"))
    storage.data_source_row("odd", **storage.OF_A_DATA_SOURCE | {"Name": "odd"})
    assert "The data source has no version." in console.text(base(storage, "odd"))
    assert console.get(f"{base(storage, 'odd')}/map").status_code == 404
    assert "has no published version" in console.get(f"{base(storage, 'odd')}/query?$format=json").text
    storage.data_source_row("odd", Name="odd")
    assert console.get(base(storage, "odd")).status_code == 409


def test_data_that_was_deleted_is_a_sentence(storage: Storage, console: LiveConsole) -> None:

    async def story(desk: Desk) -> None:
        await desk.done(desk.load(shops("a")))
        version = (await desk.the_source()).published
        assert version is not None
        await desk.account.blobs.delete(version.blob)

    play(storage, story)
    assert "not there" in table(console.page(base(storage)), "Versions")[0][3]
    for part in ("entities", "map", "entities.csv"):
        response = console.get(f"{base(storage)}/{part}")
        assert (response.status_code, "entities were deleted meanwhile" in response.text) == (409, True)


def test_a_version_that_is_not_the_account_s_is_not_read(
    storage: Storage, console: LiveConsole, versions: list[str]
) -> None:
    row = dict(storage.data_source("shops"))
    version = json.loads(row.pop("Published"))
    other = f"{storage.account}-b/shops/{versions[1]}.parquet"
    content = storage.blob("datasources", version["blob"].partition("/")[2])
    assert content is not None
    storage.blobs.get_blob_client("datasources", other).upload_blob(content)
    for blob in (f"datasources/{other}", f"uploads/{storage.account}/{versions[1]}"):
        properties = {name: value for name, value in row.items() if name not in {"PartitionKey", "RowKey"}}
        storage.data_source_row("shops", **properties, Published=json.dumps(version | {"blob": blob}))
        for part in ("entities", "map", "entities.csv", "entity?id=b"):
            response = console.get(f"{base(storage)}/{part}")
            assert (response.status_code, "not this account&#39;s" in response.text) == (409, True)
        assert "not this account's" in console.text(f"{base(storage)}/query?$format=json")


def test_half_a_character_in_a_type_hurts_no_page(storage: Storage, console: LiveConsole, versions: list[str]) -> None:
    row = dict(storage.data_source("shops"))
    del row["PartitionKey"], row["RowKey"]
    version = json.loads(row["Published"]) | {"entityType": "\ud800", "job": versions[1]}
    storage.data_source_row("shops", **row | {"Published": json.dumps(version)})
    for name, odd in (("odd", "Name"), ("odder", "AccessId"), ("oddest", "Deleting")):
        storage.data_source_row(name, **storage.OF_A_DATA_SOURCE | {"Name": name} | {odd: "\ud800"})
    parts = [f"{base(storage)}{part}" for part in ("", "/entities", "/query")]
    others = [f"{base(storage, name)}{part}" for name in ("odd", "odder", "oddest") for part in ("", "/query")]
    for path in (*parts, *others, "/sources", "/"):
        assert console.get(path).status_code == 200
