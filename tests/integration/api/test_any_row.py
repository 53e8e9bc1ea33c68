"""Whatever other writers put into the table: a bad row hides no good one, and is an envelope of its own."""

from datetime import UTC, datetime
from typing import Any

from azure.data.tables import EdmType, EntityProperty
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.model.job_ids import new_job_id
from adapters.model.jobs import JobType
from adapters.model.status_aliases import STATUS_ALIASES
from adapters.model.ticks import from_datetime
from proxy.wire.request import Format
from tests.support.any_answer import assert_envelope, exchange, split
from tests.support.live import MASTER, LiveServer
from tests.support.request_strategies import request
from tests.support.row_strategies import PROPERTIES
from tests.support.storage import Storage, ago, date, int64

PATHS = {
    "Geocode": "Dataflows/Geocode/{}",
    "DataSourceDownload": "Dataflows/DataSourceDownload/{}",
    "DataSourceRollback": "Dataflows/DataSourceRollback/{}",
    "DataSourcePublishFromStaged": "data/jobs/{}/$getstatus",
    "DataSourceDelete": "data/jobs/{}/$getstatus",
    "DataSourceAccess": "data/jobs/{}/$getstatus",
}
LOAD_PATH = "Dataflows/LoadDataSource/{}"

DATES = ("1601-01-01T00:00:00Z", "9999-12-31T23:59:59.9999999Z", "2013-01-03T23:22:15.7979398Z")

# Every type that Table Storage has, the plausible values more often than the absurd.
values = (
    st.sampled_from([*JobType, *STATUS_ALIASES, "Exploded", "", "exports/a.xml", "no blob", "9" * 5000])
    | st.text(max_size=20)
    | st.integers(-(2**31), 2**31 - 1)
    | st.integers(-(2**63), 2**63 - 1).map(int64)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.booleans()
    | st.sampled_from(["1601-01-01T00:00:00Z", "9999-12-31T23:59:59.9999999Z", "2013-01-03T23:22:15.7979398Z"]).map(
        date
    )
    | st.uuids()
    | st.binary(max_size=8)
)
oddities = st.dictionaries(st.sampled_from(PROPERTIES).filter(lambda name: name != "RowKey"), values, max_size=4)


def _row(**changes: Any) -> dict[str, Any]:
    usual = {"JobType": "DataSourceComplete", "Status": "Completed", "CreatedDate": date(ago(hours=1))}
    return usual | {"DataSourceName": "FourthCoffee"} | changes


def _without(row: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


def _new_id() -> str:
    return new_job_id(from_datetime(datetime.now(UTC)))


def _can_be_shown(row: dict[str, Any]) -> bool:
    """The rule of the stored rows, said once more: the three required properties have their types."""
    job_type, status, created = row.get("JobType"), row.get("Status"), row.get("CreatedDate")
    return (
        isinstance(job_type, str)
        and job_type in {str(known) for known in JobType}
        and isinstance(status, str)
        and isinstance(created, EntityProperty)
        and created.edm_type is EdmType.DATETIME
    )


def _ask(server: LiveServer, path: str, answer: Format) -> tuple[int, bytes]:
    target = f"/REST/v1/{path}?key={MASTER}&o={answer.value}".encode()
    (received,) = split(exchange(server.port, request(b"GET", target, [])))
    assert assert_envelope(received) is answer
    return received.status, received.body


@settings(max_examples=25)
@given(odd=st.lists(oddities, min_size=1, max_size=3), missing=st.sets(st.sampled_from(sorted(_row())), max_size=1))
def test_bad_rows_hide_no_good_ones(
    shared_storage: Storage, shared_server: LiveServer, odd: list[dict[str, Any]], missing: set[str]
) -> None:
    good = {_new_id(): _row(), _new_id(): _row(Status="Pending")}
    strange = {_new_id(): _without(_row(**changes), missing) for changes in odd}
    keys = {row_key: {"PartitionKey": shared_storage.account, "RowKey": row_key} for row_key in good | strange}
    rows = [keys[row_key] | row for row_key, row in (good | strange).items()]
    shared_storage.table.submit_transaction([("create", row) for row in rows])
    try:
        for answer in Format:
            status, listed = _ask(shared_server, "Dataflows/ListJobs", answer)
            assert status == 200
            assert [row_key for row_key in good if row_key.encode() not in listed] == []
            for row_key, row in strange.items():
                path = PATHS.get(str(row.get("JobType")), LOAD_PATH).format(row_key)
                status, body = _ask(shared_server, path, answer)
                if _can_be_shown(row):
                    assert status == 200
                else:
                    assert status == 500
                    assert b"ValidCredentials" in body
                    assert row_key.encode() not in listed
    finally:
        shared_storage.table.submit_transaction([("delete", key) for key in keys.values()])


@settings(max_examples=30)
@given(job_id=values.filter(lambda value: not isinstance(value, bytes)))
def test_an_alias_that_points_anywhere_is_not_found(
    shared_storage: Storage, shared_server: LiveServer, job_id: object
) -> None:
    shared_storage.row("alias:id:old", JobId=job_id)
    shared_storage.row("alias:download:old", JobId=job_id)
    for path in ("Dataflows/LoadDataSource/old", "Dataflows/DataSourceDownload/old"):
        for answer in Format:
            assert _ask(shared_server, path, answer)[0] == 404
