"""A stand-in for a pool of reader processes: does their tasks in threads of this process, which takes no start."""

import asyncio
from dataclasses import asdict
from typing import Any

from proxy.formats.schema import InvalidDataError
from proxy.worker.digest_data import digest_data
from proxy.worker.export_data import export_data
from proxy.worker.load_data import load_data
from proxy.worker.preview_data import preview_data
from proxy.worker.reader_pool import ReaderLimits, ReadingError
from proxy.worker.reader_tasks import DigestTask, ExportTask, LoadTask, PreviewTask, ReportProgress, Task


class InlineReaders:
    """Does loads, previews, exports and digests."""

    def __init__(self, limits: ReaderLimits) -> None:
        self.limits = limits

    async def run(self, task: Task, report: ReportProgress) -> Any:
        """Does a task, as `ReaderPool.run`."""
        try:
            result = await asyncio.to_thread(self._do, task, report)
        except InvalidDataError as error:
            raise ReadingError(str(error)) from None
        return None if result is None else asdict(result)

    async def close(self) -> None:
        """There is nothing to close."""

    def _do(self, task: Task, report: ReportProgress) -> Any:
        match task:
            case LoadTask():
                return load_data(task, report)
            case PreviewTask():
                return preview_data(task, report)
            case ExportTask():
                return export_data(task, report)
            case DigestTask():
                return digest_data(task, report)
            case _:
                raise AssertionError(task.kind)
