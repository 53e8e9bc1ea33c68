"""A log line tells which operation was asked for, and nothing of whose or of what."""

import logging

import pytest

from proxy.wire.routes import NOT_SERVED, Operation
from tests.integration.api.writes.test_loads import load
from tests.support.live import MASTER, LiveServer
from tests.support.stored_jobs import ACCESS_ID, Written, source, version


def test_each_operation_has_its_name_and_no_data_source_has(
    server: LiveServer, written: Written, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    earlier = version()
    written.put(source(staged=version(), earlier=(earlier,)))
    location = "https://secret.example.net/a?sig=SECRET"
    asked = (
        f"Dataflows/DataSourceDownload/{ACCESS_ID}/Shops",
        f"Dataflows/DataSourceRollback/{earlier.job_id}/Shops",
        f"data/{ACCESS_ID}/Shops/$commit",
        f"data/{ACCESS_ID}/Shops/$updatedatasource",
        "data",
        "data/$metadata",
        "data/$GetPublicDataSourceList",
        f"data/{ACCESS_ID}/Shops",
        f"data/{ACCESS_ID}/Shops/$metadata",
    )
    assert load(server, description="SECRET", queryKey="query-key").status_code == 201
    assert load(server, b"", dataLocation=location).status_code == 400
    for path in asked:
        assert server.get(path, setPublic="1").is_success
    assert server.client.delete(f"{server.url}/REST/v1/data/{ACCESS_ID}/Shops", params={"key": MASTER}).is_success
    lines = [record for record in caplog.records if record.name == "proxy.request"]
    operations = {record.getMessage().rpartition(" ")[0] for record in lines}
    others = {Operation.JOB_STATUS, Operation.JOB_LIST, Operation.JOB_OUTPUT, Operation.GEOCODE, *NOT_SERVED}
    assert operations == {operation.value for operation in Operation if operation not in others}
    for record in lines:
        told = str(record.__dict__)
        for secret in ("Shops", "SECRET", "secret", MASTER, "query-key"):
            assert secret not in told, told
