"""What a look-up of a key ends with, and what it costs its client. The keys are the test's own."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from proxy.api.auth_throttle import BURST, AuthThrottle
from proxy.api.authenticate import Authenticator
from proxy.keyring.keyring import ExpiredKeyError, KeyGrant, UnknownKeyError, hash_key
from proxy.keyring.lookup import (
    KeyStoreUnavailableError,
    RevokedKeyError,
    RingEntry,
    UnreadableKeyError,
)
from proxy.keyring.reload import ActiveKeyRing
from proxy.wire.errors import ApiError, ErrorCode
from tests.support.virtual_time import VIRTUAL_TIME, VirtualTime

TIMEOUT = 4.0
ENTRY = RingEntry(KeyGrant("contoso"))


@pytest.fixture
def anyio_backend() -> VirtualTime:
    return VIRTUAL_TIME


def scope(address: str) -> dict[str, Any]:
    return {"client": (address, 5), "headers": []}


class Keys:
    """Answers each look-up in the same way, or never."""

    def __init__(self, answer: Exception | None = None, *, hangs: bool = False) -> None:
        self.answer = answer
        self.hangs = hangs
        self.asked: list[tuple[bytes, str]] = []

    async def find(self, digest: bytes, network: str) -> RingEntry:
        self.asked.append((digest, network))
        if self.hangs:
            await asyncio.Event().wait()
        if self.answer is not None:
            raise self.answer
        return ENTRY


def authenticator(keys: Keys) -> Authenticator:
    ring = cast(ActiveKeyRing, SimpleNamespace(keys=keys))
    made = Authenticator(ring, TIMEOUT, trusts_proxies=False)
    made._throttle = AuthThrottle(lambda: 0.0)  # noqa: SLF001 - tries come back in time, and a stall gives some back
    return made


async def find(of: Authenticator, key: bytes, address: str = "192.0.2.1") -> RingEntry:
    found = await of.find(await of.admit(key, scope(address)))
    assert isinstance(found, RingEntry)
    return found


def delay(of: Authenticator) -> float:
    """Seconds that another new key would wait."""
    seconds = of._throttle.delay("192.0.2.1", hash_key(b"another"))  # noqa: SLF001 - waiting would take time
    assert seconds is not None
    return seconds


@pytest.mark.anyio
async def test_a_key_is_looked_up_by_its_digest_and_the_clients_network() -> None:
    keys = Keys()
    assert await find(authenticator(keys), b"k", "2001:db8::5") == ENTRY
    assert keys.asked == [(hash_key(b"k"), "2001:db8::/64")]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answer", "raised", "code"),
    [
        (UnknownKeyError(), ApiError, ErrorCode.UNKNOWN_KEY),
        (ExpiredKeyError(), ApiError, ErrorCode.EXPIRED_KEY),
        (RevokedKeyError("old"), RevokedKeyError, None),
        (UnreadableKeyError(), UnreadableKeyError, None),
        (KeyStoreUnavailableError(), KeyStoreUnavailableError, None),
    ],
)
async def test_each_end_of_a_look_up_has_its_own_error(
    answer: Exception, raised: type[Exception], code: ErrorCode | None
) -> None:
    with pytest.raises(raised) as caught:
        await find(authenticator(Keys(answer)), b"k")
    assert getattr(caught.value, "code", None) is code


@pytest.mark.anyio
async def test_a_look_up_that_takes_too_long_is_a_store_that_cannot_be_read() -> None:
    with pytest.raises(KeyStoreUnavailableError):
        await find(authenticator(Keys(hangs=True)), b"k")
    assert asyncio.get_running_loop().time() == TIMEOUT


@pytest.mark.anyio
@pytest.mark.parametrize("answer", [UnreadableKeyError(), KeyStoreUnavailableError()])
async def test_a_look_up_without_an_answer_gives_its_try_back(answer: Exception) -> None:
    keys = Keys(answer)
    of = authenticator(keys)
    for number in range(BURST + 1):
        with pytest.raises(type(answer)):
            await find(of, b"%d" % number)
    assert delay(of) == 0


@pytest.mark.anyio
async def test_a_look_up_whose_caller_has_gone_gives_its_try_back() -> None:
    keys = Keys(hangs=True)
    of = authenticator(keys)
    tasks = [asyncio.create_task(find(of, b"%d" % number)) for number in range(BURST)]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    assert delay(of) == 0


@pytest.mark.anyio
@pytest.mark.parametrize("answer", [UnknownKeyError(), RevokedKeyError("old")])
async def test_an_unknown_or_revoked_key_costs_its_client_a_try(answer: Exception) -> None:
    of = authenticator(Keys(answer))
    for number in range(BURST):
        with pytest.raises((ApiError, RevokedKeyError)):
            await find(of, b"%d" % number)
    assert delay(of) > 0


@pytest.mark.anyio
async def test_a_key_of_another_account_or_of_nobody_does_not_belong_to_an_account() -> None:
    of = authenticator(Keys())
    assert await of.belongs_to("contoso", b"k", scope("192.0.2.1"))
    assert not await of.belongs_to("fabrikam", b"k", scope("192.0.2.1"))
    for answer in (UnknownKeyError(), RevokedKeyError("old"), ExpiredKeyError()):
        assert not await authenticator(Keys(answer)).belongs_to("contoso", b"k", scope("192.0.2.1"))
    with pytest.raises(KeyStoreUnavailableError):
        await authenticator(Keys(KeyStoreUnavailableError())).belongs_to("contoso", b"k", scope("192.0.2.1"))
