"""A change is noted, whatever becomes of the request that made it."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from adapters.tables.audit_rows import AuditEntry
from proxy.operations.audit import note_change


def test_a_row_is_written_also_when_the_time_of_its_request_is_up() -> None:
    written = list[AuditEntry]()

    async def story() -> None:
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def write(entry: AuditEntry) -> None:
            begun.set()
            await go_on.wait()
            written.append(entry)

        account: Any = SimpleNamespace(name="contoso", audit=SimpleNamespace(write=write))
        entry = AuditEntry("olga", "jobs retry", "a job")
        noting = asyncio.create_task(note_change(account, entry))
        await begun.wait()
        noting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await noting
        go_on.set()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert written == [entry]

    asyncio.run(story())
