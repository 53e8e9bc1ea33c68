"""What is odd about stored rows, told in the log once for each row."""

import logging

from adapters.tables.properties import Row

log = logging.getLogger(__name__)

REMARKS_KEPT = 10_000


class RowWarnings:
    """Tells of one account's rows by their keys. Clients poll, so it remembers what it has told; that is bounded."""

    def __init__(self, account: str) -> None:
        self._account = account
        self._told: set[tuple[str, str]] = set()

    def __call__(self, row: Row, text: str) -> bool:
        """Tells this of a row, unless it has; whether it did."""
        key = (str(row.get("RowKey")), text)
        if key in self._told:
            return False
        if len(self._told) >= REMARKS_KEPT:
            self._told.clear()
        self._told.add(key)
        log.warning("%s", text, extra={"account": self._account, "partition_key": self._account, "row_key": key[0]})
        return True
