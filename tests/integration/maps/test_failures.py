"""The failures of section 6.1 (J1 to J9, J12), as far as one chunk meets them."""

from collections.abc import Sequence
from typing import Any

import pytest

from adapters.maps.errors import AskStoppedError, MapsError, MapsFailure
from adapters.maps.throttle import Throttle
from adapters.model.geocoding import Answer, ForwardItem, Item, ItemError, ReverseItem
from proxy.demo.maps.stand_in import MapsStandIn
from tests.integration.maps.conftest import FAST, Seen, Waits, client_of, towns, using

pytestmark = pytest.mark.anyio


def are_found(answers: Sequence[Answer]) -> bool:
    return all(isinstance(answer, tuple) and answer[0].locality == "Denver" for answer in answers)


async def ask(maps: MapsStandIn, items: list[Item] | list[ForwardItem], **options: Any) -> list[Answer]:
    return await using(client_of(maps, **options), lambda client: client.ask(items, "en-US"))


@pytest.mark.parametrize("status", ["401", "403", "404", "redirect"])
async def test_j1_a_refusal_is_final_and_names_the_member_to_look_at(maps: MapsStandIn, status: str) -> None:
    maps.modes = {1: status}
    with pytest.raises(MapsError) as caught:
        await ask(maps, towns(3))
    assert caught.value.failure is MapsFailure.REFUSED
    member = "subscription_key_env" if status in {"401", "403"} else "endpoint"
    assert f"look at {member} of the account's maps in the key ring" in str(caught.value)
    assert maps.calls == 1


async def test_j3_all_calls_pause_for_the_seconds_of_retry_after(maps: MapsStandIn) -> None:
    maps.modes = {1: "429 1"}
    throttle = Throttle(FAST)
    seen = Seen()
    client = client_of(maps, throttle=throttle, observer=seen)
    try:
        assert are_found(await client.ask(towns(3), "en-US"))
    finally:
        await client.close()
    first, second = maps.asked
    assert second.at - first.at >= 0.99
    assert second.items == first.items
    assert throttle.rate == pytest.approx(FAST * (0.5 + 0.02))
    assert [call[2] for call in seen.calls] == [MapsFailure.THROTTLED, None]
    assert seen.again == 3


async def test_j4_pauses_without_retry_after_double_with_jitter(maps: MapsStandIn, waits: Waits) -> None:
    maps.modes = {1: "429", 2: "429", 3: "429"}
    assert are_found(await ask(maps, towns(3)))
    assert waits.longest == [1, 2, 4]
    assert maps.calls == 4


async def test_j5_a_late_call_is_halved_at_once_down_to_the_item(maps: MapsStandIn, waits: Waits) -> None:
    maps.rule = lambda _number, items: "408" if any("Nowhere" in item["query"] for item in items) else ""
    answers = await ask(maps, [*towns(7), ForwardItem(query="Nowhere")])
    assert are_found(answers[:7])
    assert answers[7] == ItemError("Azure Maps did not answer this request in time.", is_of_server=True)
    assert [len(each.items) for each in maps.asked] == [8, 4, 4, 2, 2, 1, 1]
    assert waits.longest == []


async def test_j5_a_call_without_an_answer_by_its_deadline_is_late(maps: MapsStandIn, waits: Waits) -> None:
    maps.rule = lambda _number, items: "slow 60" if any("Nowhere" in item["query"] for item in items) else ""
    late = ItemError("Azure Maps did not answer this request in time.", is_of_server=True)
    for _ in range(5):  # on a busy machine the other item may be late too
        answers = await ask(maps, [*towns(1), ForwardItem(query="Nowhere")], deadline=0.7)
        assert answers[1] == late
        assert [len(each.items) for each in maps.asked[-3:]] == [2, 1, 1]
        if answers[0] != late:
            break
    assert are_found(answers[:1])
    assert waits.longest == []


@pytest.mark.parametrize("status", ["500", "502", "503", "504"])
async def test_j6_an_unavailable_service_is_asked_again_after_longer_waits(
    maps: MapsStandIn, waits: Waits, status: str
) -> None:
    maps.modes = {1: status, 2: status}
    assert are_found(await ask(maps, towns(100)))
    assert waits.longest == [1, 2]
    assert maps.items == 300


async def test_an_unavailable_service_that_says_when_is_asked_again_then(maps: MapsStandIn, waits: Waits) -> None:
    maps.modes = {1: "503 0", 2: "503 1"}
    assert are_found(await ask(maps, towns(1)))
    assert waits.longest == []
    assert maps.asked[2].at - maps.asked[1].at >= 0.99


async def test_j7_a_call_is_given_up_after_six_tries(maps: MapsStandIn, waits: Waits) -> None:
    maps.rule = lambda _number, _items: "500"
    with pytest.raises(MapsError) as caught:
        await ask(maps, towns(3))
    assert caught.value.failure is MapsFailure.UNAVAILABLE
    assert waits.longest == [1, 2, 4, 8, 16]
    assert maps.calls == 6


async def test_j8_a_rejected_call_is_bisected_to_its_item(maps: MapsStandIn, waits: Waits) -> None:
    maps.rule = lambda _number, items: "400" if any("Nowhere" in item["query"] for item in items) else ""
    answers = await ask(maps, [*towns(3), ForwardItem(query="Nowhere"), *towns(4)])
    assert are_found(answers[:3] + answers[4:])
    assert answers[3] == ItemError("The mode 400 refuses this call.", is_of_server=False)
    assert [len(each.items) for each in maps.asked] == [8, 4, 2, 2, 1, 1, 4]
    assert waits.longest == []


@pytest.mark.parametrize("mode", ["short", "cut", "html", "garbage", "endless"])
async def test_j9_an_answer_that_makes_no_sense_is_asked_again(maps: MapsStandIn, waits: Waits, mode: str) -> None:
    maps.modes = {1: mode}
    assert are_found(await ask(maps, towns(10)))
    assert [len(each.items) for each in maps.asked] == [10, 10]
    assert waits.longest == [1]


async def test_a_page_of_an_answer_is_halved_and_its_next_link_is_not_followed(maps: MapsStandIn, waits: Waits) -> None:
    maps.modes = {1: "paged"}
    assert are_found(await ask(maps, towns(10)))
    assert [len(each.items) for each in maps.asked] == [10, 5, 5]
    assert waits.longest == []


async def test_j12_more_than_100_items_are_never_sent(maps: MapsStandIn) -> None:
    client = client_of(maps)
    try:
        with pytest.raises(ValueError, match="a batch has 1 to 100 items, and this one 101"):
            await client.ask(towns(101), "en-US")
        with pytest.raises(ValueError, match="1 to 100"):
            await client.ask([], "en-US")
    finally:
        await client.close()
    assert maps.calls == 0


async def test_a_service_that_cannot_be_reached_is_unavailable(waits: Waits) -> None:
    with pytest.raises(MapsError) as caught:
        await ask(MapsStandIn(url="http://127.0.0.1:1"), towns(1))
    assert caught.value.failure is MapsFailure.UNAVAILABLE
    assert len(waits.longest) == 5


async def test_an_items_error_is_asked_once_more_with_failed_items_only(maps: MapsStandIn) -> None:
    errors = {"error": {"code": "500 Internal", "message": "Busy."}}
    maps.answer = lambda item: {"features": []} if "Denver" in item["query"] else errors
    seen = Seen()
    items = [ForwardItem(query="Nowhere"), *towns(3), ForwardItem(query="Utopia")]
    answers = await ask(maps, items, observer=seen)
    assert answers == [ItemError("Busy.", is_of_server=True), (), (), (), ItemError("Busy.", is_of_server=True)]
    assert [[item["query"] for item in each.items] for each in maps.asked[1:]] == [["Nowhere", "Utopia"]]
    assert (seen.answered, seen.failed, seen.again) == (3, 2, 2)


async def test_an_items_error_that_passes_leaves_its_answer(maps: MapsStandIn) -> None:
    maps.modes = {1: "item errors"}
    assert are_found(await ask(maps, towns(3)))
    assert maps.calls == 2


@pytest.mark.parametrize("mode", ["206", "optional ids", "iso", "nulls"])
async def test_an_odd_but_whole_answer_counts(maps: MapsStandIn, mode: str) -> None:
    maps.modes = {1: mode}
    answers = await ask(maps, towns(2))
    assert all(isinstance(answer, tuple) and answer[0].name == "Denver, CO" for answer in answers)
    assert maps.calls == 1


async def test_what_was_answered_survives_an_error_and_is_not_asked_again(maps: MapsStandIn, waits: Waits) -> None:
    late = ["408", "", "500", "500", "500", "500", "500", "500"]
    maps.rule = lambda number, _items: late[number - 1] if number <= len(late) else ""
    answers: dict[int, Answer] = {}
    client = client_of(maps)
    try:
        with pytest.raises(MapsError):
            await client.ask(towns(10), "en-US", answers=answers)
        assert sorted(answers) == [0, 1, 2, 3, 4]
        assert are_found(await client.ask(towns(10), "en-US", answers=answers))
    finally:
        await client.close()
    assert [item["query"] for item in maps.asked[-1].items] == [f"Denver {number}" for number in range(5, 10)]
    assert len(waits.longest) == 5


async def test_a_caller_may_stop_between_calls_but_not_between_tries(maps: MapsStandIn, waits: Waits) -> None:
    maps.modes = {1: "408", 2: "500"}
    answers: dict[int, Answer] = {}
    allowed = iter([True, True, False])
    client = client_of(maps)
    try:
        with pytest.raises(AskStoppedError):
            await client.ask(towns(10), "en-US", answers=answers, may_go_on=lambda: next(allowed))
    finally:
        await client.close()
    assert (maps.calls, sorted(answers), waits.longest) == (3, [0, 1, 2, 3, 4], [1])


async def test_forward_and_reverse_items_go_to_their_own_operations_in_their_language(maps: MapsStandIn) -> None:
    client = client_of(maps)
    try:
        await client.ask(towns(1), "fi-FI")
        found = await client.ask([ReverseItem(47.6401, -122.1297)], "en-US")
    finally:
        await client.close()
    assert [(each.operation, each.language) for each in maps.asked] == [("geocode", "fi-FI"), ("reverse", "en-US")]
    assert isinstance(found[0], tuple)
    assert found[0][0].address_line == "1 Microsoft Way"
