"""How the stand-in fails on demand: a mode for a request (geocode.md, section 7).

| mode | answer |
|---|---|
| `401`, `408`, `500` ... | that status, with an error object; `206` is a whole answer |
| `429 2` | that status with `Retry-After: 2` |
| `400` | refuses the whole call |
| `slow 0.5` | after so many seconds |
| `cut`, `html`, `garbage` | a broken connection, a page, half of the JSON |
| `endless`, `redirect` | a body without an end, a 307 to the same URL |
| `short`, `paged` | one item fewer than asked; with a `nextLink` |
| `optional ids`, `iso`, `nulls`, `nothing`, `item errors` | odd but whole answers |
"""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from aiohttp import web

Json = dict[str, Any]

ENDLESS_BLOCK = b" " * 65_536
ITEM_ERROR: Json = {"error": {"code": "500 InternalServerError", "message": "The service is busy."}}


async def respond(  # noqa: PLR0911 - a return for each mode
    request: web.Request, mode: str, answer: Json
) -> web.StreamResponse:
    """Answers a request that is in order as the mode wants."""
    name, _, argument = mode.partition(" ")
    if name == "slow":
        await asyncio.sleep(float(argument))
    elif name == "cut":
        return await _cut(request)
    elif name == "endless":
        return await _send_endless(request)
    elif name == "html":
        return web.Response(text="<html><body>Gateway</body></html>", content_type="text/html")
    elif name == "garbage":
        return web.Response(text=json.dumps(answer)[:-9], content_type="application/json")
    elif name == "redirect":
        return web.Response(status=307, headers={"Location": request.path_qs})
    elif name.isdigit() and name != "206":
        return refuse(int(name), f"The mode {name} refuses this call.", argument)
    change = _CHANGES.get(mode)
    return web.json_response(answer if change is None else change(answer), status=206 if name == "206" else 200)


def refuse(status: int, message: str, retry_after: str = "") -> web.Response:
    """An error answer."""
    headers = {"x-ms-error-code": f"Status{status}", "x-ms-request-id": "stand-in"}
    if retry_after:
        headers["Retry-After"] = retry_after
    error = {"code": f"Status{status}", "message": message}
    return web.json_response({"error": error}, status=status, headers=headers)


async def _cut(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "1000", "Content-Type": "application/json"})
    await response.prepare(request)
    await response.write(b'{"batchItems": [')
    if request.transport is not None:
        request.transport.abort()
    return response


async def _send_endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    while request.transport is not None and not request.transport.is_closing():
        await response.write(ENDLESS_BLOCK)
    return response


def _with_items(change: Callable[[list[Json]], list[Json]]) -> Callable[[Json], Json]:
    return lambda answer: {**answer, "batchItems": change(answer["batchItems"])}


def _rename_iso(value: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        return {"iso" if name == "ISO" else name: _rename_iso(inner) for name, inner in value.items()}
    return [_rename_iso(inner) for inner in value] if isinstance(value, list) else value


def _nullify(feature: Json) -> Json:
    properties = {**feature["properties"], "geocodePoints": None, "matchCodes": None}
    properties["address"] = dict.fromkeys(properties["address"]) | {
        "formattedAddress": properties["address"].get("formattedAddress")
    }
    return {**feature, "bbox": None, "properties": properties}


_CHANGES: dict[str, Callable[[Json], Json]] = {
    "short": _with_items(lambda items: items[:-1]),
    "paged": lambda answer: {**answer, "batchItems": answer["batchItems"][:-1], "nextLink": "https://127.0.0.1/next"},
    "optional ids": _with_items(lambda items: [{**item, "optionalId": str(at)} for at, item in enumerate(items)]),
    "iso": lambda answer: dict(_rename_iso(answer)),
    "nulls": _with_items(lambda items: [{**each, "features": [*map(_nullify, each["features"])]} for each in items]),
    "nothing": _with_items(lambda items: [{**item, "features": []} for item in items]),
    "item errors": _with_items(lambda items: [ITEM_ERROR for _ in items]),
}
