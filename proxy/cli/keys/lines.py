"""A key as a line of JSON."""

import json

from adapters.model.key_records import FoundKey
from proxy.operations.keys.lines import format_time, shown


def format_key_json(found: FoundKey) -> str:
    """Digest, name, account, role, data sources, end, creation, revocation; all the members are always there."""
    record = found.record
    if record is None:
        return json.dumps({"digest": shown(found.digest), "error": found.problem, "revoked": found.is_revoked or None})
    members = {
        "digest": shown(found.digest),
        "name": record.name,
        "account": record.account,
        "role": record.role,
        "data_sources": record.data_sources,
        "expires": format_time(record.expires) or None,
        "created": format_time(record.created) or None,
        "revoked": (format_time(record.revoked) or True) if found.is_revoked else None,
    }
    return json.dumps(members, ensure_ascii=False)
