"""What keys asked for, as `keys list --usage` shows it."""

import json
import sys
from dataclasses import dataclass
from typing import Any

from adapters.accounts import AccountRegistry
from adapters.errors import StorageError
from adapters.model.key_records import FoundKey
from adapters.model.ticks import Ticks, to_datetime
from adapters.model.usage import DIGEST_DIGITS, Usage
from proxy.bootstrap import storage_options
from proxy.keyring.file import parse_keyring
from proxy.settings import load_settings
from proxy.text import single_line

_COUNTS = ("requests", "errors", "refused", "not_served")


@dataclass(frozen=True, slots=True)
class UsageReport:
    """The usage of keys by account and the first 16 hex digits of their digests.

    Args:
        usages: what was asked.
        unread: the accounts whose usage can't be read.
    """

    usages: dict[tuple[str, str], Usage]
    unread: frozenset[str]

    @property
    def is_complete(self) -> bool:
        """Whether the usage of every account was read."""
        return not self.unread

    def extend(self, line: str, found: FoundKey, *, as_json: bool) -> str:
        """The line of a key with its usage."""
        if found.record is None:
            return line
        account = found.record.account
        usage = self.usages.get((account, found.digest[:DIGEST_DIGITS]))
        if as_json:
            members = None if account in self.unread else _members(usage)
            return json.dumps(json.loads(line) | {"usage": members}, ensure_ascii=False)
        return f"{line}  {'usage not known' if account in self.unread else _describe(usage)}"


async def read_report(ring_text: str, account: str | None) -> UsageReport:
    """Reads the usage of the keys of one account or of all.

    An account whose usage can't be read has a line on standard error.
    """
    keyring, settings = parse_keyring(ring_text, importing=True), load_settings()
    usages: dict[tuple[str, str], Usage] = {}
    unread = set()
    async with AccountRegistry(keyring.accounts, storage_options(settings), maps=keyring.maps) as accounts:
        for name in accounts.names:
            if account not in {None, name}:
                continue
            try:
                async for usage in accounts[name].usage.iterate():
                    if (known := usages.setdefault((name, usage.digest), usage)) is not usage:
                        known.add(usage)
            except StorageError as error:
                unread.add(name)
                hint = error.code.value.hint
                print(f"account {name}: its usage can't be read: {error}; {hint}", file=sys.stderr)
    return UsageReport(usages, frozenset(unread))


def _members(usage: Usage | None) -> dict[str, Any]:
    """The member `usage` of a line of JSON; all its members are always there."""
    if usage is None:
        usage = Usage("", None, Ticks(0), Ticks(0))
    return {
        "first": _time(usage.first),
        "last": _time(usage.last),
        **dict(zip(_COUNTS, usage.totals, strict=True)),
        "operations": {
            name: dict(zip(_COUNTS, counts, strict=True)) for name, counts in sorted(usage.operations.items())
        },
        "sources": list(usage.sources),
        "agents": list(usage.agents),
        "networks": list(usage.networks),
    }


def _describe(usage: Usage | None) -> str:
    """First and last use, counts, and what was asked from where; what is missing is left out."""
    if usage is None:
        return "never used"
    requests, errors, refused, not_served = usage.totals
    unserved = sorted(name for name, counts in usage.operations.items() if counts[-1])
    parts = [
        f"first used {_time(usage.first)}",
        f"last used {_time(usage.last)}",
        f"{requests} requests",
        f"{errors} errors" if errors else "",
        f"{refused} refused" if refused else "",
        f"{not_served} not served: {' '.join(unserved)}" if not_served else "",
        f"data sources {' '.join(usage.sources)}" if usage.sources else "",
        f"agents {', '.join(usage.agents)}" if usage.agents else "",
        f"networks {' '.join(usage.networks)}" if usage.networks else "",
    ]
    return single_line("  ".join(filter(None, parts)))


def _time(ticks: Ticks) -> str | None:
    return to_datetime(ticks).isoformat(timespec="seconds") if ticks else None
