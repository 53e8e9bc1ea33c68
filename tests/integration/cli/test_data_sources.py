"""`sources access-id`: what programs have in their URLs is kept for the first load, whatever jobs are there."""

import pytest

from tests.integration.cli.conftest import Run
from tests.integration.worker.test_worker import ring_of, wait_for_jobs, working
from tests.support.audited_changes import changes
from tests.support.live import LiveServer
from tests.support.storage import Storage
from tests.support.worker_desk import Desk, play, shops

ACCESS_ID = "20181F26d9e94c81acdf9496133d4f23"
LOAD = {"dataSourceName": "Coffee", "input": "csv", "loadOperation": "complete", "key": "master-key"}


def test_the_first_load_keeps_the_id_without_any_job_before_it(run: Run, storage: Storage, server: LiveServer) -> None:
    outcome = run("sources", "access-id", "coffee", ACCESS_ID)
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out == f"coffee has the access id {ACCESS_ID} from its first load on\n"
    path = f"data/{ACCESS_ID}/Coffee"
    assert server.get(path).status_code == 404  # it is not there before it is loaded
    created = server.client.post(
        f"{server.url}/REST/v1/Dataflows/LoadDataSource", params=LOAD | {"accessId": ACCESS_ID}, content=shops("a")
    )
    assert created.status_code == 201, created.text

    async def done(desk: Desk) -> None:
        ring = ring_of(storage)
        async with ring.accounts, working(desk, ring):
            await wait_for_jobs(desk, created.json()["resourceSets"][0]["resources"][0]["id"])

    play(storage, done)
    assert server.get(path).status_code == 200
    # Now it is loaded: the same again changes nothing, another one can't be given.
    outcome = run("sources", "access-id", "Coffee", ACCESS_ID.lower())
    assert (outcome.status, outcome.out) == (
        0,
        f"nothing was changed: Coffee has the access id {ACCESS_ID.lower()} already\n",
    )
    outcome = run("sources", "access-id", "Coffee", "b" * 32)
    told = f"nothing was changed: Coffee is loaded here already, under the access id {ACCESS_ID}\n"
    assert (outcome.status, outcome.out, outcome.err) == (1, "", told)


def test_an_id_can_be_corrected_before_the_first_load_and_is_reported_when_it_is_the_same(
    run: Run, storage: Storage
) -> None:
    assert run("sources", "access-id", "Coffee", "a" * 32).status == 0
    assert run("sources", "access-id", "Coffee", ACCESS_ID).out.endswith("from its first load on\n")
    assert run("sources", "access-id", "Coffee", ACCESS_ID).out.startswith("nothing was changed: ")
    assert [each[1:] for each in changes(storage)] == [("sources access-id", "Coffee")] * 2


@pytest.mark.parametrize(
    ("name", "access_id", "told"),
    [
        ("no such name?", ACCESS_ID, "'no such name?' can't be the name of a data source"),
        ("Coffee", "a/b", "'a/b' is no access id: 1 to 64 letters"),
        ("Coffee", "", "'' is no access id"),
    ],
)
def test_a_name_or_an_id_that_cannot_be_one_is_one_line(run: Run, name: str, access_id: str, told: str) -> None:
    outcome = run("sources", "access-id", name, access_id)
    assert (outcome.status, outcome.out, outcome.err.count("\n")) == (1, "", 1)
    assert outcome.err.startswith(told)
