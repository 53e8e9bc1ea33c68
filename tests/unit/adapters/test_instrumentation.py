"""The instrumented transport has the settings of the SDKs' own one."""

import asyncio
from typing import Any

from azure.storage.blob.aio import BlobServiceClient
from azure.storage.queue.aio import QueueClient

from adapters.instrumentation import NULL_OBSERVER, InstrumentedTransport

ACCOUNT = {"account_name": "a", "account_key": "c2VjcmV0"}
URL = "http://127.0.0.1:1/a"


def test_transport_is_configured_as_that_of_the_sdks() -> None:
    async def story() -> None:
        watched = InstrumentedTransport(NULL_OBSERVER, "blob", 7, 9)
        seconds: dict[str, Any] = {"connection_timeout": 7, "read_timeout": 9}
        clients: tuple[Any, ...] = (
            BlobServiceClient(URL, credential=ACCOUNT, **seconds),
            QueueClient(URL, "queue", credential=ACCOUNT, **seconds),
        )
        for client in clients:
            own = client._pipeline._transport  # noqa: SLF001 - there is no other way to see it
            assert vars(watched.connection_config) == vars(own.connection_config)
            assert watched._use_env_settings == own._use_env_settings  # noqa: SLF001 - the same
            await client.close()

    asyncio.run(story())
