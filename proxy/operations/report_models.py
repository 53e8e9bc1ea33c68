"""What the console shows of the reports of `migrate` and `compare`. A report is a file: each member is checked."""

from datetime import UTC, datetime
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, FailFast, Field, TypeAdapter

# Of a list that is none of a report's, one error says enough.
Stop = FailFast()

Whole = Annotated[int, Field(ge=0, le=2**63 - 1)]


def _to_utc(moment: datetime) -> datetime:
    """A time in UTC; as it is where it has no offset."""
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("the year must be one from 1 to 9999 in UTC") from None


Moment = Annotated[datetime, AfterValidator(_to_utc)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Counts(_Part):
    """How many questions came out how."""

    same: Whole
    different: Whole
    not_comparable: Whole = Field(alias="not comparable")


class About(_Part):
    """What was compared: a data source with the entities of both sides, or something of the account."""

    name: str
    entities: Annotated[list[Whole | None], Stop]
    counts: Counts


class Member(_Part):
    """A member that differs, with the values of both sides in reports of `--values`."""

    path: str
    problem: str
    left: str | None = None
    right: str | None = None


class Question(_Part):
    """A question whose answers are not the same."""

    about: str
    question: str
    verdict: str
    reason: str | None
    differences: Whole
    members: Annotated[list[Member], Stop]


class CompareReport(_Part):
    """A report of `compare`."""

    is_dry: ClassVar[bool] = False
    version: Literal[1] = Field(alias="schema")
    command: Literal["compare"]
    left: str
    right: str
    started: Moment = Field(alias="startedAt")
    seconds: float
    stopped: str | None
    notes: Annotated[list[str], Stop]
    same: bool
    counts: Counts
    about: Annotated[list[About], Stop]
    questions: Annotated[list[Question], Stop]

    @property
    def sides(self) -> tuple[str, str]:
        """What was compared with what."""
        return self.left, self.right

    @property
    def tally(self) -> Counts:
        """The counts of all questions."""
        return self.counts


class MigratedSource(_Part):
    """What became of one version of a data source."""

    name: str
    staged: bool
    result: str
    entities: Whole | None
    size: Whole | None = Field(alias="bytes")
    seconds: float
    details: str

    @property
    def is_same(self) -> bool:
        """Whether both sides have the same."""
        return self.result in {"same", "unchanged"}

    @property
    def is_planned(self) -> bool:
        """Whether a dry run only says that it would be copied."""
        return self.result == "to copy"


class MigratedJobs(_Part):
    """What became of the job list."""

    listed: Whole
    written: Whole
    outputs: Whole
    output_bytes: Whole
    pending: Whole
    problems: Annotated[list[str], Stop]


class LeftBehind(_Part):
    """Something that was not taken along."""

    what: str
    effect: str
    do: str


class MigrateReport(_Part):
    """A report of `migrate`."""

    version: Literal[1] = Field(alias="schema")
    command: Literal["migrate"]
    origin: str = Field(alias="from")
    account: str
    dry_run: bool
    same: bool
    stopped: str | None
    data_sources: Annotated[list[MigratedSource], Stop]
    jobs: MigratedJobs
    warnings: Annotated[list[str], Stop]
    left_behind: Annotated[list[LeftBehind], Stop]

    @property
    def sides(self) -> tuple[str, str]:
        """From where to where."""
        return self.origin, self.account

    @property
    def is_dry(self) -> bool:
        """Whether nothing was copied, so that nothing could be compared."""
        return self.dry_run

    @property
    def planned(self) -> int:
        """The versions that a migration would copy."""
        return sum(each.is_planned for each in self.data_sources)

    @property
    def tally(self) -> Counts:
        """The versions that are the same on both sides, and those that are not; planned ones are neither."""
        same = sum(each.is_same for each in self.data_sources)
        counts = {"same": same, "different": len(self.data_sources) - same - self.planned, "not comparable": 0}
        return Counts.model_validate(counts)


Report = CompareReport | MigrateReport

REPORT: TypeAdapter[Report] = TypeAdapter(Annotated[Report, Field(discriminator="command")])
