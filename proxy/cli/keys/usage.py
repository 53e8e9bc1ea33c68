"""What keys asked for, as `keys list --usage` shows it."""

import json
import sys
from typing import Any

from adapters.accounts import AccountRegistry
from adapters.model.key_records import FoundKey
from adapters.model.ticks import Ticks, to_datetime
from adapters.model.usage import Usage
from proxy.bootstrap import storage_options
from proxy.keyring.file import parse_keyring
from proxy.operations.keys.usage import UsageReport, read_usage
from proxy.settings import Settings
from proxy.text import single_line

_COUNTS = ("requests", "errors", "refused", "not_served")


async def read_report(settings: Settings, ring_text: str, account: str | None) -> UsageReport:
    """Reads the usage of the keys of one account or of all.

    An account whose usage can't be read has a line on standard error.
    """
    keyring = parse_keyring(ring_text, importing=True)
    async with AccountRegistry(keyring.accounts, storage_options(settings), maps=keyring.maps) as accounts:
        report = await read_usage(accounts, [name for name in accounts.names if account in {None, name}])
    for name, error in sorted(report.unread.items()):
        print(f"account {name}: its usage can't be read: {error}; {error.code.value.hint}", file=sys.stderr)
    return report


def extend_line(line: str, found: FoundKey, report: UsageReport, *, as_json: bool) -> str:
    """The line of a key with its usage."""
    if found.record is None:
        return line
    usage, is_known = report.of(found), report.is_known(found)
    if as_json:
        return json.dumps(json.loads(line) | {"usage": _members(usage) if is_known else None}, ensure_ascii=False)
    return f"{line}  {_describe(usage) if is_known else 'usage not known'}"


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
