"""From the questions of a job to calls: languages apart (J13), equal items once (J14), and calls beside each other."""

import asyncio

import pytest

from adapters.maps.client import MapsClient
from adapters.maps.errors import MapsFailure
from adapters.model.geocoding import Answer, ForwardItem
from proxy.demo.maps.stand_in import MapsStandIn
from proxy.formats.geocode.chunks import ChunkPlan, plan_chunks
from proxy.formats.geocode.requests import Question, build_request
from tests.integration.maps.conftest import Seen, client_of, towns

pytestmark = pytest.mark.anyio


async def ask_all(client: MapsClient, questions: list[Question]) -> None:
    for chunk in plan_chunks(questions, ChunkPlan()):
        await client.ask(chunk.items, chunk.language)
    await client.close()


async def test_j13_each_language_has_a_call_of_its_own(maps: MapsStandIn) -> None:
    rows = [{"Query": f"Denver {culture}", "Culture": culture} for culture in ("en-US", "fi-FI", "", "fi_FI")]
    requests = [build_request({name: value for name, value in row.items() if value}) for row in rows]
    await ask_all(client_of(maps), [each.question for each in requests if each.question is not None])
    assert {each.language: len(each.items) for each in maps.asked} == {"en-US": 3, "fi-FI": 1}
    assert maps.calls == 2


async def test_j14_equal_items_of_a_job_are_asked_once(maps: MapsStandIn) -> None:
    questions = [Question(item, "en-US") for item in [*towns(600), *([ForwardItem(query="Boulder")] * 400)]]
    await ask_all(client_of(maps), questions)
    assert (maps.items, maps.calls) == (601, 7)


async def test_a_chunk_is_asked_beside_others_in_flight(maps: MapsStandIn) -> None:
    """So a small job need not wait for the calls of a big one (J11)."""
    client = client_of(maps)
    maps.modes = dict.fromkeys(range(1, 5), "slow 600")
    big = [asyncio.create_task(client.ask(towns(100), "en-US")) for _ in range(4)]
    while maps.calls < 4:  # noqa: ASYNC110 - the stand-in runs in another thread
        await asyncio.sleep(0.01)
    await client.ask(towns(2), "en-US")
    assert not any(task.done() for task in big)
    for task in big:
        task.cancel()
    await asyncio.wait(big)
    await client.close()


async def test_a_cancelled_chunk_leaves_its_answers_and_its_connection_is_not_used_again(maps: MapsStandIn) -> None:
    seen, answers = Seen(), dict[int, Answer]()
    client = client_of(maps, observer=seen)
    maps.modes = {1: "408", 3: "slow 60"}
    asking = asyncio.create_task(client.ask(towns(10), "en-US", answers=answers))
    while maps.calls < 3:  # noqa: ASYNC110 - the stand-in runs in another thread
        await asyncio.sleep(0.01)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert sorted(answers) == [0, 1, 2, 3, 4]
    assert seen.calls[-1] == ("geocode", 5, MapsFailure.TIMEOUT)
    assert len(await client.ask(towns(10), "en-US", answers=answers)) == 10
    assert [len(each.items) for each in maps.asked] == [10, 5, 5, 5]
    await client.close()
