"""A whole run: what is there, what is here already, the copies, the jobs, and the report."""

import asyncio
import fnmatch
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from adapters.errors import ConflictError, StorageError
from adapters.model.data_sources import DataSource
from proxy.comparison.service_document import ListedSource
from proxy.migration.backoff import Backoff
from proxy.migration.errors import MigrationStoppedError, NotCopiedError
from proxy.migration.job_copy import JobCopier
from proxy.migration.report import DIFFERENT, NOT_COPIED, PLANNED, SAME, UNCHANGED, Left, MigrationReport, SourceRow
from proxy.migration.source_account import SourceAccount
from proxy.migration.state import MigrationState
from proxy.migration.target_account import TargetAccount
from proxy.migration.version_copy import VersionCopier

AT_ONCE = 3
"""Data sources in work at a time: the service exports one while another is loaded. It bounds disk space too."""

SHOWN = 60
"""Characters of a wrong argument."""

QUESTIONS_AT_ONCE = 8
"""Short questions to the service at a time."""

OPEN = (
    "{0} is open to every key of the account: the line `{0},KEY` in a file, given by --query-keys FILE, gives it its "
    "query key"
)


@dataclass(frozen=True, slots=True)
class MigrationOptions:
    """What the operator asks for. `query_keys` are digests by names in lower case."""

    pattern: str = "*"
    query_keys: Mapping[str, str] = field(default_factory=dict)
    dry_run: bool = False
    from_proxy: bool = False


class Migration:
    """One run. `report` is valid at every moment, also after an error."""

    def __init__(
        self,
        source: SourceAccount,
        target: TargetAccount,
        state: MigrationState,
        options: MigrationOptions,
        backoff: Backoff,
    ) -> None:
        self._source = source
        self._target = target
        self._state = state
        self._options = options
        self._progress = backoff.progress
        self._copier = VersionCopier(source, target, state, backoff)
        self._jobs = JobCopier(source, target, state, backoff.progress)
        self.report = MigrationReport(state.origin, state.account, options.dry_run, jobs=self._jobs.counts)

    async def run(self) -> None:
        """Copies all; what stops the run is in the report, as a line that says where it stands and what to do."""
        total = 0
        try:
            if not self._options.from_proxy:
                await self._source.refuse_proxy()
            versions = await self._list_versions()
            total = len(versions)
            listed = await self._jobs.read_list()
            self._copier.know_jobs(listed)
            jobs = self._jobs.find_new(listed)
            if self._options.dry_run:
                await self._plan(versions)
                self._jobs.counts.written = len(jobs)
            else:
                await self._target.account.create_missing()
                await self._copy_all(versions)
                await self._jobs.copy(jobs)
        except* (MigrationStoppedError, NotCopiedError, ConflictError) as group:
            self._stop(str(_first(group)), total)
        except* StorageError as group:
            error = _first(group)
            hint = f" ({error.code.value.hint})" if isinstance(error, StorageError) else ""
            self._stop(f"storage: {error}{hint}", total)
        except* OSError as group:
            error = _first(group)
            reason = error.strerror if isinstance(error, OSError) else None
            self._stop(f"this machine's disk can't be used: {reason or error}; --state {self._state.folder}", total)
        self.report.rows.sort(key=lambda row: (row.name.lower(), row.staged))

    def _stop(self, why: str, total: int) -> None:
        done = sum(row.result in {SAME, UNCHANGED} for row in self.report.rows)
        where = f"{done} of {total} data sources and {len(self._state.jobs)} jobs are here" if total else "nothing done"
        self.report.stopped = f"{why}. Stopped: {where}; the same command goes on there"

    async def _list_versions(self) -> list[ListedSource]:
        """The published and staged versions of the data sources that the pattern names."""
        pattern, listed = self._options.pattern, await self._source.list_data_sources()
        by_name = {
            each.name.lower(): each for each in listed if fnmatch.fnmatchcase(each.name.lower(), pattern.lower())
        }
        if listed and not by_name:
            raise MigrationStoppedError(
                f"--data-sources: none of the {len(listed)} data sources matches {pattern[:60]!r}"
            )
        found, limit = list[ListedSource](), asyncio.Semaphore(QUESTIONS_AT_ONCE)

        async def ask(source: ListedSource) -> list[ListedSource]:
            async with limit:
                return await self._source.list_versions(source)

        answers = await asyncio.gather(*map(ask, by_name.values()))
        for source, versions in zip(by_name.values(), answers, strict=True):
            published = next((each for each in versions if each.is_active and not each.is_staging), None)
            staged = next((each for each in versions if each.is_staging), None)
            if published is None and staged is None:  # gone since, or listed in a form without flags
                published = source
            found += [each for each in (published, staged) if each is not None]
            earlier = len(versions) - (published is not None) - (staged is not None)
            self._note_left(source, max(0, earlier))
        self._note_unknown(by_name)
        return found

    async def _plan(self, versions: list[ListedSource]) -> None:
        for version in versions:
            state = self._state.copy_of(version.name, staged=version.is_staging)
            row = SourceRow(version.name, version.is_staging, PLANNED)
            size: tuple[int, int] | None = state.entities, state.bytes
            try:
                if await self._copier.is_copied(version, state):
                    row.result = UNCHANGED
                else:
                    size = await self._source.estimate(version)
            except NotCopiedError as error:
                size, row.result, row.details = None, NOT_COPIED, str(error)
            row.entities, row.bytes = size if size is not None else (None, None)
            self.report.rows.append(row)

    async def _copy_all(self, versions: list[ListedSource]) -> None:
        self._progress.begin("data sources", len(versions))
        by_name: dict[str, list[ListedSource]] = {}
        for version in versions:
            by_name.setdefault(version.name.lower(), []).append(version)
        limit = asyncio.Semaphore(AT_ONCE)

        async def copy_source(of_one: list[ListedSource]) -> None:
            is_here = True
            async with limit:
                for version in of_one:
                    row = await self._copy(version)
                    self.report.rows.append(row)
                    self._progress.step(": ".join(filter(None, (row.title, row.result, row.details))))
                    is_here &= row.result != NOT_COPIED
                if is_here:
                    await self._align(of_one)

        async with asyncio.TaskGroup() as group:
            for of_one in by_name.values():
                group.create_task(copy_source(of_one))

    async def _copy(self, version: ListedSource) -> SourceRow:
        row = SourceRow(version.name, version.is_staging, NOT_COPIED)
        try:
            outcome = await self._copier.copy(version)
        except NotCopiedError as error:
            row.details = str(error)
            return row
        state = outcome.state
        row.entities, row.bytes, row.details = state.entities, state.bytes, outcome.differences
        row.seconds = round(state.seconds, 3) if outcome.was_loaded else 0
        row.result = DIFFERENT if outcome.differences else SAME if outcome.was_loaded else UNCHANGED
        return row

    async def _align(self, versions: list[ListedSource]) -> None:
        """Sets what a data source has beside its versions, and removes what is not staged at the service any more."""
        name = versions[0].name
        if find_staged(versions) is None:
            staged = self._state.copies.pop(f"{name.lower()} staged", None)
            if staged is not None:
                await self._target.drop_staged(name, staged.version)
                self._state.save()
        source = await self._target.align(versions[0], self._options.query_keys.get(name.lower()))
        if source is not None:
            self._note_open(source)

    def _note_open(self, source: DataSource) -> None:
        if not source.is_public and source.query_key is None:
            self.report.warnings.append(OPEN.format(source.name))

    def _note_left(self, source: ListedSource, earlier: int) -> None:
        if earlier:
            what = f"{earlier} earlier version{'s' if earlier > 1 else ''} of {source.name}"
            effect = "the first version here can't be rolled back to them"
            do = "Roll back at the service before the move, or download them there by their jobId, if they matter."
            self.report.left.append(Left(what, effect, do))

    def _note_unknown(self, listed: Mapping[str, ListedSource]) -> None:
        for name in sorted(set(self._options.query_keys) - set(listed)):
            self.report.warnings.append(f"--query-keys: {name} is none of the data sources that are copied")
        for name in _gone(self._state, listed, self._options.pattern):
            self.report.warnings.append(f"{name} was copied earlier and is not at the service any more: delete it here")
        if listed:
            what, effect = "the master key of each data source", "here every master key of the account manages it"
            do = "Give keys their data sources by keys add --data-sources, where a program may manage only some."
            self.report.left.append(Left(what, effect, do))


def find_staged(versions: list[ListedSource]) -> ListedSource | None:
    """The staged version among these."""
    return next((each for each in versions if each.is_staging), None)


def _gone(state: MigrationState, listed: Mapping[str, ListedSource], pattern: str) -> Iterator[str]:
    for name in sorted(state.copies):
        known = name.removesuffix(" staged")
        if known == name and name not in listed and fnmatch.fnmatchcase(name, pattern.lower()):
            yield name


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first error of a group, whatever it is nested in."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
