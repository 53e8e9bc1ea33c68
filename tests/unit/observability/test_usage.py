"""What is counted of each key's requests, and that it stays small."""

import asyncio
import json
from types import SimpleNamespace
from typing import cast
from unittest.mock import MagicMock

import pytest

from adapters.errors import StorageError, StorageErrorCode
from adapters.model.ticks import PER_SECOND, parse_ticks
from adapters.model.usage import ANSWERED, ERROR, MAX_AGENTS, MAX_NETWORKS, MAX_SOURCES, NOT_SERVED, REFUSED, Usage
from proxy.keyring.reload import ActiveKeyRing
from proxy.observability import usage as module
from proxy.observability import usage_writer
from proxy.observability.client import Client, client_of, network_of
from proxy.observability.usage import MAX_OLD_HOURS, RepeatCounter, Requester, Tally, UsageCounter, outcome_of
from proxy.observability.usage_writer import UsageWriter
from tests.support.log_records import texts_of

SHOP = Requester("contoso", "0" * 16, "store locator")
NEW_YEAR = 1_798_761_600.0  # 2027-01-01T00:00:00Z


class Clock:
    """A clock that stands still until it is set."""

    now = NEW_YEAR

    def __call__(self) -> float:
        return self.now


def store(counter: UsageCounter) -> dict[str, list[Tally]]:
    """Stores all of contoso's hours, and gives them."""
    hours = counter.unstored().get("contoso", {})
    for tallies in hours.values():
        for tally in tallies:
            tally.stored = tally.requests
    return hours


def test_requests_are_counted_by_hour_operation_and_outcome() -> None:
    counter = UsageCounter(clock=(clock := Clock()))
    for outcome in (ANSWERED, ERROR, REFUSED, NOT_SERVED, ANSWERED):
        counter.count(SHOP, "job_list", outcome)
    clock.now += 3_600
    counter.count(SHOP, "metadata", source="Shops")
    (first,), (second,) = (counter.unstored()["contoso"][hour] for hour in ("2027010100", "2027010101"))
    assert first.usage.operations == {"job_list": [5, 1, 1, 1]}
    assert first.usage.totals == (5, 1, 1, 1)
    assert first.usage.first == first.usage.last == parse_ticks("2027-01-01T00:00:00Z")
    assert (second.usage.operations, list(second.usage.sources)) == ({"metadata": [1, 0, 0, 0]}, ["Shops"])
    assert (second.usage.digest, second.usage.name) == ("0" * 16, "store locator")


def test_a_data_source_counts_once_in_any_letter_case() -> None:
    counter = UsageCounter(clock=Clock())
    tallies = [counter.count(SHOP, "query", source=name) for name in ("Shops", "SHOPS", "shops", "Cafes")]
    assert tallies[-1] is not None
    assert list(tallies[-1].usage.sources) == ["Shops", "Cafes"]


def test_only_what_came_since_the_last_write_is_written_and_an_hour_stays_until_its_end() -> None:
    counter = UsageCounter(clock=(clock := Clock()))
    counter.count(SHOP, "job_list")
    assert list(store(counter)) == ["2027010100"]
    assert store(counter) == {}
    counter.count(SHOP, "job_list")
    (tally,) = store(counter)["2027010100"]
    assert tally.requests == 2  # the whole hour: its row is written over the one before
    clock.now += 3_600
    assert store(counter) == {}
    assert counter.keys == 0


def test_repeated_responses_count_in_the_hour_in_which_they_are_repeated() -> None:
    counter = UsageCounter(full=True, clock=(clock := Clock()))
    repeats = RepeatCounter(counter, SHOP, "job_status")
    for _ in range(4):
        repeats.count(Client("Toolkit", "192.0.2.0/24"))
        clock.now += 1_500
    first, second = (counter.unstored()["contoso"][hour][0].usage for hour in ("2027010100", "2027010101"))
    assert (first.operations, second.operations) == ({"job_status": [3, 0, 0, 0]}, {"job_status": [1, 0, 0, 0]})
    assert (first.last - first.first) == 3_000 * PER_SECOND
    assert (list(first.agents), list(first.networks)) == (["Toolkit"], ["192.0.2.0/24"])


def test_repeated_responses_hold_no_agent_and_network_unless_that_is_asked() -> None:
    counter = UsageCounter(clock=Clock())
    repeats = RepeatCounter(counter, SHOP, "job_status")
    for _ in range(2):
        repeats.count(Client("Toolkit", "192.0.2.0/24"))
    (tally,) = store(counter)["2027010100"]
    assert (list(tally.usage.agents), list(tally.usage.networks)) == ([], [])


def writer_to(usage: object, counter: UsageCounter) -> UsageWriter:
    accounts = MagicMock(names=["contoso"])
    accounts.__getitem__.return_value = SimpleNamespace(usage=usage)
    return UsageWriter(counter, cast("ActiveKeyRing", SimpleNamespace(accounts=accounts)))


def test_requests_that_come_during_a_write_are_of_the_next_one() -> None:
    counter, written = UsageCounter(clock=Clock()), list[int]()

    class Store:
        async def write(self, _hour: str, _process: str, rows: list[Usage]) -> None:
            written.append(rows[0].operations["job_list"][0])
            if len(written) == 1:
                counter.count(SHOP, "job_list")

    writer = writer_to(Store(), counter)
    counter.count(SHOP, "job_list")
    for _ in range(3):
        asyncio.run(writer.write())
    assert written == [1, 2]


def test_a_table_that_may_not_be_written_is_logged_once_and_again_after_it_was(
    caplog: pytest.LogCaptureFixture,
) -> None:
    counter, answers = UsageCounter(clock=Clock()), [False, False, True, False]

    class Store:
        async def write(self, *_: object) -> None:
            if not answers.pop(0):
                raise StorageError(StorageErrorCode.UNREACHABLE, "no route")

    writer = writer_to(Store(), counter)
    for warnings in (1, 1, 1, 2):
        counter.count(SHOP, "job_list")
        asyncio.run(writer.write())
        assert len(texts_of(caplog, usage_writer.__name__)) == warnings


def test_trouble_with_storage_keeps_some_hours_and_forgets_the_oldest() -> None:
    counter = UsageCounter(clock=(clock := Clock()))
    for _ in range(2 * MAX_OLD_HOURS):
        counter.count(SHOP, "job_list")
        clock.now += 3_600
    assert list(counter.unstored()["contoso"]) == [f"20270101{hour:02}" for hour in range(6, 12)]
    assert counter.keys == MAX_OLD_HOURS


def test_more_keys_than_the_bound_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_KEYS", 2)
    counter = UsageCounter(clock=Clock())
    for digest in "abca":
        counter.count(Requester("contoso", digest * 16, None), "job_list")
    assert [tally.usage.digest[0] for tally in counter.unstored()["contoso"]["2027010100"]] == ["a", "b"]
    assert counter.uncounted == 1
    counter.forget("contoso")
    assert (counter.unstored(), counter.keys) == ({}, 0)


@pytest.mark.parametrize("full", [False, True])
def test_agents_and_networks_are_kept_only_where_that_is_asked_and_all_lists_are_short(*, full: bool) -> None:
    counter = UsageCounter(full=full, clock=Clock())
    for number in range(20):
        scope = {"client": (f"10.0.{number}.7", 1), "headers": [(b"user-agent", b"agent %d" % number)]}
        counter.count(SHOP, "job_list", source=f"Shops{number}", client=client_of(scope))
    (tally,) = counter.unstored()["contoso"]["2027010100"]
    found = len(tally.usage.sources), len(tally.usage.agents), len(tally.usage.networks)
    assert found == (MAX_SOURCES, MAX_AGENTS * full, MAX_NETWORKS * full)
    assert "10.0.0.0/24" in tally.usage.networks or not full


@pytest.mark.parametrize(
    ("status", "error", "outcome"),
    [
        (200, None, ANSWERED),
        (302, None, ANSWERED),
        (404, "NO_SUCH_JOB", ERROR),
        (503, "STORAGE_UNAVAILABLE", ERROR),
        (401, "MASTER_KEY_NEEDED", REFUSED),
        (404, "NOT_SERVED", NOT_SERVED),
        (200, "STORAGE_UNAVAILABLE", ERROR),  # a jsonp function gets the error in a 200
    ],
)
def test_the_outcome_of_a_request(status: int, error: str | None, outcome: int) -> None:
    assert outcome_of(status, error) == outcome


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/48"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("", None),
        ("a socket", None),
    ],
)
def test_a_network_is_no_full_address(address: str, network: str | None) -> None:
    assert network_of(address) == network


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (b"Store/1.0", "Store/1.0"),
        (b"a\x1b[2Jb\x00\tc", "a?[2Jb??c"),
        ("Café".encode(), "Café"),
        (b"\xff" * 3, "\ufffd" * 3),
        (b"x" * 5_000, "x" * 100),
        (b"Tool key=AbCdEf", "Tool key=***"),
        (b"", None),
    ],
)
def test_an_agent_is_short_printable_and_without_secrets(sent: bytes, shown: str | None) -> None:
    client = client_of({"headers": [(b"accept", b"*/*"), (b"user-agent", sent)], "client": None})
    assert client.agent == shown
    assert json.loads("{" + client.json[1:] + "}") == client.fields


def test_a_client_of_which_nothing_is_known_adds_nothing_to_a_line() -> None:
    assert client_of({"headers": [], "client": None}).json == ""
