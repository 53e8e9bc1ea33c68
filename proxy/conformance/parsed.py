"""What an answer tells, the same for both formats; values that are not of the expected type are kept as they are."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from proxy.conformance.exchange import AskedFormat, Exchange


@dataclass(frozen=True, slots=True)
class ParsedLink:
    """A link. `members` are the names of its JSON members, or of its XML attributes, in their order."""

    role: str
    name: str | None
    url: str
    members: tuple[str, ...]

    @property
    def called(self) -> tuple[str, str | None]:
        """Role and name."""
        return self.role, self.name

    @property
    def is_signed(self) -> bool:
        """Whether it is a signed URL of storage."""
        return "sig=" in self.url.lower()


@dataclass(frozen=True, slots=True)
class ParsedJob:
    """A job. `values` are by the JSON names; `order` has the names as they stand in the answer, a link's once each.

    `resource_type` is DataflowJob or DataServiceJob, `type_text` the whole `__type` of JSON. `nil` are the XML elements
    that are there without a value.
    """

    exchange: Exchange
    resource_type: str
    type_text: str
    order: tuple[str, ...]
    values: Mapping[str, object]
    links: tuple[ParsedLink, ...]
    nil: tuple[str, ...] = ()

    def text(self, name: str) -> str | None:
        """A member that is a text."""
        value = self.values.get(name)
        return value if isinstance(value, str) else None

    @property
    def id(self) -> str:
        """The job's id, empty where there is none."""
        return self.text("id") or ""

    @property
    def status(self) -> str:
        """The job's status, empty where there is none."""
        return self.text("status") or ""

    def shows(self, *names: str) -> str:
        """Members as the answer writes them."""
        return " ".join(self._shows(name) for name in names)

    def _shows(self, name: str) -> str:
        if name not in self.values:
            return f"{name} absent"
        if self.exchange.ask.format is AskedFormat.XML:
            element = name[0].upper() + name[1:]
            return f"<{element}>{self.values[name]}</{element}>"
        value = self.values[name]
        text = str(value) if type(value) is int else json.dumps(value, ensure_ascii=False)
        return f'"{name}":{text}'


@dataclass(frozen=True, slots=True)
class ParsedResourceSet:
    """A resource set."""

    order: tuple[str, ...]
    total: object
    jobs: tuple[ParsedJob, ...]


@dataclass(frozen=True, slots=True)
class ParsedEnvelope:
    """An answer that could be read. `values` are by the JSON names; `details` is None where errorDetails is absent."""

    exchange: Exchange
    order: tuple[str, ...]
    values: Mapping[str, object]
    details: tuple[object, ...] | None
    sets: tuple[ParsedResourceSet, ...]

    @property
    def format(self) -> AskedFormat:
        """The format that it is in."""
        return (
            AskedFormat.JSON
            if self.exchange.body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{"
            else AskedFormat.XML
        )

    @property
    def lists_details(self) -> bool:
        """Whether errorDetails is a list, which JSON may have otherwise."""
        return self.format is AskedFormat.XML or isinstance(self.values.get("errorDetails"), list)

    @property
    def code(self) -> object:
        """The authenticationResultCode."""
        return self.values.get("authenticationResultCode")

    @property
    def jobs(self) -> tuple[ParsedJob, ...]:
        """The jobs of all resource sets."""
        return tuple(job for each in self.sets for job in each.jobs)
