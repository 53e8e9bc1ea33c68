"""The account at the service: what a migration reads there, with backoff. Only download jobs are created."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from adapters.model.jobs import JobRecord, JobType
from proxy.comparison.answer import Answer, AnswerKind
from proxy.comparison.connection import TransportError
from proxy.comparison.documents import read_json
from proxy.comparison.endpoint import Endpoint, segment
from proxy.comparison.service_document import DocumentError, ListedSource, read_service_document
from proxy.migration.backoff import FAILURES, QUOTA, Backoff
from proxy.migration.daemon_thread import run_in_thread
from proxy.migration.errors import MigrationStoppedError, NotCopiedError
from proxy.version import SERVER_HEADER
from proxy.wire.envelope import Envelope
from proxy.wire.parser import ParseError, parse_response
from proxy.wire.resources import JobResource

SAMPLE = 25
"""The entities of a query that estimates a size."""

_XML = {"output": "xml"}  # with all digits of the dates

_STATUS_PATHS = {
    JobType.GEOCODE: "Dataflows/Geocode",
    JobType.COMPLETE: "Dataflows/LoadDataSource",
    JobType.COMPLETE_STAGING: "Dataflows/LoadDataSource",
    JobType.INCREMENTAL: "Dataflows/LoadDataSource",
    JobType.INCREMENTAL_STAGING: "Dataflows/LoadDataSource",
}
"""Jobs with outputs, or with a description of their own."""

_ADVICE = {
    AnswerKind.KEY_REFUSED: "the service refuses the key: give a master key of the account, as the service shows it",
    AnswerKind.REDIRECT: "the service redirects: give the address that it leads to as --from",
    AnswerKind.HTML: "this is no answer of the API: check --from, and whether a gateway or portal answers in its place",
}


class SourceAccount:
    """Reads an account through an endpoint.

    Every method raises MigrationStoppedError where the service can't be asked at all, and NotCopiedError where it
    refuses this one request.
    """

    def __init__(self, endpoint: Endpoint, backoff: Backoff) -> None:
        self._endpoint = endpoint
        self._backoff = backoff

    async def refuse_proxy(self) -> None:
        """Checks that the endpoint is not this program.

        Raises:
            MigrationStoppedError: it is.
        """
        answer = await self._ask("data", {"$format": "atom"}, stops=True)
        if answer.header(SERVER_HEADER):
            raise MigrationStoppedError(
                f"--from: {self._endpoint.url} is answered by this program, not by the service: its name may lead here "
                "by a hosts file or private DNS; give the service's own address by --connect-to, or --from-proxy"
            )

    async def list_data_sources(self) -> list[ListedSource]:
        """The data sources of the account."""
        return self._read_document(await self._ask("data", {"$format": "atom"}, stops=True), "its list of data sources")

    async def list_versions(self, source: ListedSource) -> list[ListedSource]:
        """All versions of a data source; none where it is gone."""
        answer = await self._ask(source.parent, {"showAllVersions": "true", "$format": "atom"})
        if answer.kind is AnswerKind.NOT_FOUND:
            return []
        return self._read_document(answer, f"{source.name}: its versions")

    async def list_jobs(self) -> Envelope:
        """The job list."""
        answer = await self._ask("Dataflows/ListJobs", _XML)
        return self._read_envelope(answer, "its job list")

    async def get_job(self, record: JobRecord) -> JobResource | None:
        """The status of a job of the list; None where its type has no status of use, or the job is gone."""
        path = _STATUS_PATHS.get(record.job_type)
        return None if path is None else await self._get_job(f"{path}/{segment(record.public_id)}")

    async def get_load(self, version: ListedSource) -> JobResource | None:
        """The status of the load that made a version; None where the service does not know it any more."""
        if not version.job_id:
            return None
        return await self._get_job(f"Dataflows/LoadDataSource/{segment(version.job_id)}")

    async def create_download(self, version: ListedSource) -> JobResource:
        """Creates a download job, when the service's limits allow it."""
        path = f"Dataflows/DataSourceDownload/{segment(version.access_id)}/{segment(version.name)}"
        answer = await self._ask(path, _XML | ({"jobId": version.job_id} if version.is_staging else {}))
        job = self._only_job(answer, f"{version.name}: its download")
        if job is None:
            raise NotCopiedError(f"the service creates no download: {self._describe(answer)}")
        return job

    async def find_download(self, version: ListedSource, job_id: str) -> JobResource | None:
        """The download job of this id; None where the service does not find it.

        The service's documents name a job by its data source only, which leads to the newest one.
        """
        for reference in (job_id, version.name):
            with suppress(NotCopiedError):
                job = await self._get_job(f"Dataflows/DataSourceDownload/{segment(reference)}")
                if job is not None and job.id.lower() == job_id.lower():
                    return job
        return None

    async def fetch(self, url: str, file: Path) -> int | None:
        """Streams an output to a file, which is complete when it is there.

        Returns:
            Its bytes; None where the service does not have it any more.

        Raises:
            OSError: the file can't be written.
        """
        part = file.with_suffix(".part")
        for number in range(1, FAILURES + 1):
            try:
                answer = await run_in_thread(partial(self._fetch, url, part))
            except TransportError as error:
                problem = self._endpoint.redactor.text(str(error))
            else:
                if answer.kind is AnswerKind.SUCCESS:
                    return await asyncio.to_thread(_finish, part, file)
                if answer.kind in {AnswerKind.NOT_FOUND, AnswerKind.KEY_REFUSED} or answer.status == 410:  # noqa: PLR2004
                    return None
                problem = self._describe(answer)
            if number < FAILURES:
                await self._backoff.wait_after_failure(number)
        raise NotCopiedError(f"its output could not be fetched in {FAILURES} tries: {problem}; run the command again")

    async def estimate(self, version: ListedSource) -> tuple[int, int] | None:
        """The number of entities and a guess of their bytes, by a query; None where that fails."""
        query = {"$format": "json", "$inlinecount": "allpages", "$top": f"{SAMPLE}"}
        try:
            answer = await self._ask(version.path, query | ({"isStaging": "true"} if version.is_staging else {}))
            found: Mapping[str, Any] = read_json(answer.body)["d"]
            count, sample = int(found["__count"]), len(found["results"])
        except (NotCopiedError, ValueError, KeyError, TypeError):
            return None
        return count, len(answer.body) * count // max(1, sample)

    def _fetch(self, url: str, part: Path) -> Answer:
        with part.open("wb") as file:
            return self._endpoint.fetch(url, file)

    async def _get_job(self, path: str) -> JobResource | None:
        return self._only_job(await self._ask(path, _XML), path)

    def _only_job(self, answer: Answer, what: str) -> JobResource | None:
        if answer.kind is AnswerKind.NOT_FOUND:
            return None
        jobs = self._read_envelope(answer, what).resources
        if not jobs:
            raise NotCopiedError(f"{what}: the service's answer has no job")
        return jobs[0]

    def _read_envelope(self, answer: Answer, what: str) -> Envelope:
        try:
            return parse_response(answer.body)
        except ParseError as error:
            raise NotCopiedError(f"{what}: the service's answer can't be read: {error}") from None

    def _read_document(self, answer: Answer, what: str) -> list[ListedSource]:
        try:
            return list(read_service_document(answer.body))
        except DocumentError as error:
            raise MigrationStoppedError(f"{what}: {self._endpoint.url} answers {error}; check --from") from None

    async def _ask(self, path: str, parameters: Mapping[str, str], *, stops: bool = False) -> Answer:
        """Asks until there is an answer that counts: a success, or 404.

        Args:
            path: below /REST/v1/.
            parameters: without the key.
            stops: whether a refusal of this request stops the run.
        """
        number, problem = 0, ""
        while number < FAILURES:
            if number:
                await self._backoff.wait_after_failure(number)
            number += 1
            try:
                answer = await run_in_thread(partial(self._endpoint.ask, "GET", path, parameters))
            except TransportError as error:
                problem = self._endpoint.redactor.text(str(error))
                if "certificate" in problem or "TLS" in problem:
                    break
                continue
            problem = self._describe(answer)
            match answer.kind:
                case AnswerKind.SUCCESS | AnswerKind.NOT_FOUND if not stops or answer.kind is AnswerKind.SUCCESS:
                    return answer
                case AnswerKind.THROTTLED:
                    await self._backoff.wait_for_limit(problem, answer.retry_after)
                    number = 0
                case AnswerKind.UNAVAILABLE if QUOTA.lower() in problem.lower():
                    await self._backoff.wait_for_limit(problem, answer.retry_after)
                    number = 0
                case AnswerKind.UNAVAILABLE | AnswerKind.HTML:
                    pass
                case AnswerKind.ERROR if answer.status >= 500:  # noqa: PLR2004 - server errors
                    pass
                case kind:
                    error_type = MigrationStoppedError if stops else NotCopiedError
                    raise error_type(f"{problem}; {_ADVICE.get(kind, 'see what the service says')}")
        raise MigrationStoppedError(
            f"{self._endpoint.url} can't be asked: {problem}; check the network, the address and its certificate"
        )

    def _describe(self, answer: Answer) -> str:
        return self._endpoint.redactor.text(answer.describe())


def _finish(part: Path, file: Path) -> int:
    """Gives a whole file its name; returns its bytes."""
    part.replace(file)
    return file.stat().st_size
