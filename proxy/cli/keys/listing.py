"""The commands `keys list`, `keys show` and `keys export`."""

import json
import sys
from argparse import Namespace
from typing import TYPE_CHECKING

from adapters.model.key_records import FoundKey
from proxy.cli.keys.key_input import require_key
from proxy.cli.keys.lines import format_key_json
from proxy.cli.keys.running import run_on_keys
from proxy.keyring.keyring import hash_key
from proxy.operations.keys.holder import KeyHolder
from proxy.operations.keys.lines import format_key, has_expired, shown
from proxy.operations.keys.members import member_of, shown_digest
from proxy.operations.keys.places import find_keys_place
from proxy.settings import Settings, load_settings

if TYPE_CHECKING:
    from proxy.operations.keys.usage import UsageReport


def list_keys(options: Namespace) -> int:
    """Prints a line for each key, by the beginning of its digest. A key that can't be read has its line too.

    Returns:
        1 where the usage of an account can't be read: standard error names it.
    """
    settings = load_settings()
    format_line = format_key_json if options.json else format_key
    place = find_keys_place(settings)

    async def write(keys: KeyHolder) -> int:
        report = await _read_usage(settings, place.ring_text, options.account) if options.usage else None
        async for found in keys.iterate():
            is_meant = found.record is None or options.account in {None, found.record.account}
            if is_meant and (options.all or not found.is_revoked):
                line = format_line(found)
                print(line if report is None else _extend_line(line, found, report, as_json=options.json))
        return 0 if report is None or not report.unread else 1

    return run_on_keys(place, write, wait=options.wait)


# The SDKs take half a second to load, and a list without usage needs none of them.
async def _read_usage(settings: Settings, ring_text: str, account: str | None) -> "UsageReport":
    from proxy.cli.keys.usage import read_report  # noqa: PLC0415 - loads the SDKs

    return await read_report(settings, ring_text, account)


def _extend_line(line: str, found: FoundKey, report: "UsageReport", *, as_json: bool) -> str:
    from proxy.cli.keys.usage import extend_line  # noqa: PLC0415 - loads the SDKs

    return extend_line(line, found, report, as_json=as_json)


def show_key(options: Namespace) -> int:
    """Prints what a key from standard input opens, by the beginning of its digest.

    Returns:
        1 where the key opens nothing.
    """
    place = find_keys_place(load_settings())
    digest = hash_key(require_key().encode()).hex()

    async def show(keys: KeyHolder) -> int:
        found = await keys.get(digest)
        if found is None:
            print(f"{shown(digest)}  unknown")
            return 1
        is_foreign = found.record is not None and found.record.account not in (place.accounts or ())
        print(format_key(found) + ("  its account is not in the key ring" if is_foreign else ""))
        return int(is_foreign or not _opens(found))

    return run_on_keys(place, show, wait=options.wait)


def export_keys(options: Namespace) -> int:
    """Prints the keys as the member `keys` of a ring, by their digests, without the revoked ones.

    Returns:
        1 where a key can't be read: standard error names it.
    """

    async def export(keys: KeyHolder) -> int:
        # Nothing is written before the store answers: `--wait` runs this again.
        status, start, before = 0, '{"keys": {', '{"keys": {\n'
        async for found in keys.iterate():
            if found.is_revoked:
                continue
            if found.record is None:
                print(f"left out: {format_key(found)}", file=sys.stderr)
                status = 1
                continue
            member = json.dumps(member_of(found.record), ensure_ascii=False)
            print(f'{before}  "{shown_digest(found.digest)}": {member}', end="")
            start, before = "", ",\n"
        print(f"{start}\n}}}}")
        return status

    return run_on_keys(find_keys_place(load_settings()), export, wait=options.wait)


def _opens(found: FoundKey) -> bool:
    return found.record is not None and not found.is_revoked and not has_expired(found.record)
