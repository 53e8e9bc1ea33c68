"""Any row of the table ends in a job or in one kind of error."""

from typing import Any

from hypothesis import example, given, settings

from adapters.model.job_ids import is_row_id
from adapters.model.jobs import JobRecord
from adapters.tables.job_rows import read_job, write_job
from adapters.tables.properties import MalformedRowError
from proxy.wire.job_resources import error_message, job_list_resources, job_status_resource
from proxy.wire.json_renderer import render_json
from proxy.wire.request import Format
from proxy.wire.xml_renderer import render_xml
from tests.support.given_jobs import PACIFIC, REDIRECT, envelope
from tests.support.member_order import assert_json_order, assert_xml_order
from tests.support.row_strategies import GOOD, entities


def _read(row: dict[str, Any]) -> JobRecord | None:
    try:
        return read_job(row, lambda _: None)
    except MalformedRowError:
        return None


@settings(max_examples=200)
@given(entities())
def test_a_row_can_be_shown_in_both_formats_or_is_refused(row: dict[str, Any]) -> None:
    record = _read(row)
    if record is None:
        return
    details = [text for text in [error_message(record)] if text is not None]
    for answer in Format:
        status = job_status_resource(record, record.public_id, REDIRECT, answer)
        for jobs in ((status,), job_list_resources([record], REDIRECT)):
            shown = envelope(*jobs, error_details=tuple(details))
            if answer is Format.JSON:
                assert_json_order(render_json(shown))
            else:
                assert_xml_order(render_xml(shown, PACIFIC))


@settings(max_examples=200)
@given(entities())
@example(GOOD | {"TotalEntityCount": float("inf"), "TotalEntityCount@odata.type": "Edm.Int64"})
def test_what_is_read_keeps_its_bounds(row: dict[str, Any]) -> None:
    record = _read(row)
    if record is not None:
        assert is_row_id(record.row_key)
        assert min(record.total, record.processed, record.failed) >= 0
        assert "" not in {record.data_source_name, record.access_id, record.description, record.error_message}


@given(entities())
def test_what_is_read_can_be_written_again(row: dict[str, Any]) -> None:
    record = _read(row)
    if record is not None:
        written = write_job("contoso", record)
        assert written["PartitionKey"] == "contoso"
        assert None not in written.values()
