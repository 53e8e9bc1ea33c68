"""The applications that the proxy is measured against, each with the least code for its purpose.

Run by `python -m benchmarks.apps PORT`. They run under the same uvicorn as the proxy, with its own protocol class.
"""

import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import uvicorn
from aiohttp import web
from azure.data.tables.aio import TableClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from yarl import URL

BODY = json.dumps({"text": "x" * 1000}).encode()
NAME = "BENCH_APP"
"""The variable that names the application: static, row, sdk, aiohttp or collector."""
STATIC_ROW = "BENCH_STATIC_ROW"
"""The variable that holds the JSON of the row that the application `row` returns for every path."""
ROW_URL = "BENCH_ROW_URL"
"""The variable that holds a row's URL with its signature; `{}` in it is the row's key."""
CONNECTION_STRING, TABLE, ACCOUNT = "BENCH_CONNECTION_STRING", "BENCH_TABLE", "BENCH_ACCOUNT"


async def static(_request: Request) -> Response:
    """Returns one KB of JSON that is rendered already: baseline (a)."""
    return Response(BODY, media_type="application/json")


def sdk_handler() -> Callable[[Request], Awaitable[Response]]:
    """Returns a handler that makes one call of the tables SDK."""
    client = TableClient.from_connection_string(os.environ[CONNECTION_STRING], os.environ[TABLE])

    async def row(request: Request) -> Response:
        entity = await client.get_entity(os.environ[ACCOUNT], request.query_params["row"])
        return Response(entity["RowKey"])

    return row


def aiohttp_app() -> web.Application:
    """Returns a bare aiohttp application that reads a row with a SAS and renders nothing."""
    url = os.environ[ROW_URL]
    app = web.Application()

    session_key = web.AppKey("session", aiohttp.ClientSession)

    async def client(_app: web.Application) -> AsyncIterator[None]:
        async with aiohttp.ClientSession() as session:
            app[session_key] = session
            yield

    app.cleanup_ctx.append(client)

    async def row(request: web.Request) -> web.Response:
        target = URL(url.replace("{}", request.query["row"]), encoded=True)
        async with request.app[session_key].get(target, headers={"Accept": "application/json"}) as answer:
            return web.Response(body=await answer.read(), status=answer.status)

    app.router.add_get("/", row)
    return app


async def collect(request: Request) -> Response:
    """Receives traces and discards them."""
    await request.body()
    return Response(b"", media_type="application/x-protobuf")


async def row_alone(_request: Request) -> Response:
    """Returns one row, as a table that costs next to nothing."""
    return Response(os.environ[STATIC_ROW], media_type="application/json")


def starlette_app() -> Starlette:
    """Returns the application that the environment names."""
    if os.environ[NAME] == "collector":
        return Starlette(routes=[Route("/v1/traces", collect, methods=["POST"])])
    if os.environ[NAME] == "row":
        return Starlette(routes=[Route("/{path:path}", row_alone)])
    return Starlette(routes=[Route("/", static if os.environ[NAME] == "static" else sdk_handler())])


def main(port: int) -> None:
    """Runs the application that the environment names."""
    if os.environ[NAME] == "aiohttp":
        web.run_app(aiohttp_app(), host="127.0.0.1", port=port, print=None, access_log=None)
        return
    options = {"access_log": False, "log_level": "error", "lifespan": "off", "loop": "uvloop", "http": "httptools"}
    uvicorn.run(starlette_app(), host="127.0.0.1", port=port, **options)  # type: ignore[arg-type]  # strings and False


if __name__ == "__main__":
    main(int(sys.argv[1]))
