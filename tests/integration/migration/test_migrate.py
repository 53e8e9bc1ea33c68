"""`migrate` copies an account whole, compares both sides, and a second run copies only what changed."""

import json
import stat
from pathlib import Path

from tests.integration.migration.conftest import Migrate
from tests.support.live import MASTER
from tests.support.migration_service import Service
from tests.support.storage import Storage
from tests.conftest import StartServer
from tests.support.worker_desk import shops


def test_a_data_source_keeps_what_programs_know_it_by(
    service: Service, storage: Storage, migrate: Migrate, start: StartServer
) -> None:
    service.load("Shops", description="spring prices")
    service.load("Open-Shops", setPublic="1")
    outcome = migrate()
    assert outcome.status == 0, outcome
    here = start(storage)
    theirs, ours = service.workspaces(), service.workspaces(here)
    assert len(ours) == 2
    for left, right in zip(theirs, ours, strict=True):
        for path in ("{*}title", "{*}collection/{*}title"):
            assert left.findtext(path) == right.findtext(path)
        assert left.find("{*}collection").attrib == right.find("{*}collection").attrib
        flag = "{http://schemas.microsoft.com/bing/spatial/2010/11/odata}isPublic"
        assert left.get(flag) == right.get(flag)
    (job,) = [job for job in here.json("Dataflows/ListJobs")["resourceSets"][0]["resources"] if job["name"] == "Shops" and "migr" not in job["id"]][:1]
    print(job)
    assert outcome.out == ""
