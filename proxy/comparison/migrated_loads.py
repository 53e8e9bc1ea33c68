"""Finds loads that a migration made, and those that it repeated.

A migration loads again what a load at the other side has made. Each side then lists a load of its own for the same
version of a data source, and neither list is wrong.
"""

from collections.abc import Sequence

from proxy.comparison.connection import TransportError
from proxy.comparison.endpoint import Endpoint
from proxy.comparison.inventory import UnexpectedAnswerError, list_versions
from proxy.comparison.job_list import ListedJob
from proxy.comparison.service_document import ListedSource


def find_migrated_loads(
    sides: tuple[Endpoint, Endpoint],
    jobs: Sequence[Sequence[ListedJob]],
    sources: Sequence[Sequence[ListedSource]],
) -> frozenset[str]:
    """The ids, in lower case, of loads that one side lists and the other side has replaced by a load of its own."""
    ids = [{each.id.lower() for each in listed} for listed in jobs]
    common = {each.path.lower() for each in sources[0]} & {each.path.lower() for each in sources[1]}
    common_ids = ids[0] & ids[1]
    alone = {job.id.lower(): job.name.lower() for listed in jobs for job in listed if job.id.lower() not in common_ids}
    copies = set[str]()
    for source in sources[0]:
        if source.path.lower() in common and source.name.lower() in alone.values():
            made = [_made_by(side, source) for side in sides]
            copies |= made[0] ^ made[1]
    return frozenset(copies & alone.keys())


def _made_by(side: Endpoint, source: ListedSource) -> set[str]:
    """The jobs that made the published and the staged version; none where the endpoint does not say."""
    try:
        return {each.job_id.lower() for each in list_versions(side, source) if each.is_active or each.is_staging}
    except (TransportError, UnexpectedAnswerError):
        return set()
