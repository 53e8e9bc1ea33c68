"""Keys, tokens and addresses are searched for in logs and error texts, whatever Azure Maps answers."""

import logging
from typing import Any

import pytest
from aiohttp import web

from adapters.maps.access import KeyAccess, TokenAccess
from adapters.maps.errors import MapsError
from adapters.model.geocoding import ForwardItem, Item, ReverseItem
from proxy.demo.maps.stand_in import CLIENT_ID, MapsStandIn
from tests.integration.maps.conftest import Waits, client_of

pytestmark = pytest.mark.anyio

KEY = "MARKED-SUBSCRIPTION-KEY-77ab"
TOKEN = "eyMARKED-TOKEN-9c1f"  # noqa: S105 - opens nothing
ADDRESS = "MARKED 12 Baker Street"
LATITUDE, LONGITUDE = 12.3456789, 98.7654321
MARKS = [KEY, TOKEN, "MARKED", "Baker", str(LATITUDE), str(LONGITUDE)]

MODES = ["", "401", "403", "404", "429", "500", "400", "408", "cut", "html", "garbage", "short", "paged", "redirect"]


class Tokens:
    """An identity with a marked token."""

    async def get_token(self, *_scopes: str, **_options: Any) -> Any:
        return type("Token", (), {"token": TOKEN, "expires_on": 2**40})()

    async def close(self) -> None:
        """There is nothing to close."""


@pytest.mark.parametrize("by", ["key", "token"])
async def test_no_log_and_no_error_holds_a_key_a_token_or_an_address(
    maps: MapsStandIn, waits: Waits, caplog: pytest.LogCaptureFixture, by: str
) -> None:
    caplog.set_level(logging.DEBUG)
    maps.key = KEY
    texts: list[str] = []
    for mode in MODES:
        maps.modes = dict.fromkeys(range(maps.calls + 1, maps.calls + 100), mode)
        access = KeyAccess(KEY) if by == "key" else TokenAccess(CLIENT_ID, Tokens)  # type: ignore[arg-type]  # the two methods used
        client = client_of(maps, access=access)
        for item in (ForwardItem(query=ADDRESS), ReverseItem(LATITUDE, LONGITUDE)):
            chunk: list[Item] = [item]
            try:
                texts.append(str(await client.ask(chunk, "en-US")))
            except MapsError as error:
                texts += [str(error), repr(error), repr(error.__cause__)]
        await client.close()
    assert maps.calls > len(MODES)
    assert waits.longest
    assert any("HTTP 401" in text for text in texts)
    output = "\n".join([*texts, *(record.getMessage() for record in caplog.records), caplog.text])
    assert [mark for mark in MARKS if mark in output] == []


async def test_no_url_holds_a_key_or_an_address(maps: MapsStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    urls: list[str] = []
    encodings: list[str] = []
    sent = MapsStandIn._batch  # noqa: SLF001 - what the stand-in's server calls

    async def look(self: MapsStandIn, request: Any, *more: Any) -> Any:
        urls.append(request.path_qs)
        encodings.append(request.headers["Accept-Encoding"])
        return await sent(self, request, *more)

    monkeypatch.setattr(MapsStandIn, "_batch", look)
    client = client_of(maps)
    await client.ask([ForwardItem(query=ADDRESS)], "en-US")
    await client.ask([ReverseItem(LATITUDE, LONGITUDE)], "en-US")
    await client.close()
    assert urls == ["/geocode:batch?api-version=2025-01-01", "/reverseGeocode:batch?api-version=2025-01-01"]
    assert set(encodings) == {"identity"}  # a small answer can't become a large one


async def test_a_proxy_of_the_environment_gets_no_key_of_a_plain_endpoint(
    maps: MapsStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    client = client_of(maps)
    assert isinstance(await client.look_up(ForwardItem(query="Denver, CO"), "en-US"), tuple)
    await client.close()


@pytest.mark.parametrize("code", [ADDRESS, f"key={KEY}", "x" * 5_000, "Adresse-für-Baker"])
async def test_neither_a_message_nor_a_code_that_is_no_word_is_logged(
    maps: MapsStandIn, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    def refuse(status: int, _message: str, _retry_after: str = "") -> web.Response:
        error = {"error": {"code": code, "message": f"{ADDRESS} is refused."}}
        return web.json_response(error, status=status, headers={"x-ms-error-code": code})

    monkeypatch.setattr("proxy.demo.maps.modes.refuse", refuse)
    maps.modes = {1: "403"}
    client = client_of(maps)
    with pytest.raises(MapsError) as caught:
        await client.look_up(ForwardItem(query=ADDRESS), "en-US")
    await client.close()
    assert [mark for mark in [*MARKS, "x" * 65] if mark in str(caught.value)] == []
    assert "HTTP 403" in str(caught.value)
