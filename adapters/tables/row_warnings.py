"""Logs warnings about stored rows, once for each row and text."""

import logging

from adapters.tables.properties import Row

log = logging.getLogger(__name__)

MAX_REMEMBERED = 10_000


class RowWarnings:
    """Warnings about one account's rows. Clients poll, so it remembers a bounded number of those it has logged."""

    def __init__(self, account: str) -> None:
        self._account = account
        self._logged: set[tuple[str, str]] = set()

    def __call__(self, row: Row, text: str) -> bool:
        """Logs a warning, unless the same was logged; returns whether it was new."""
        key = (str(row.get("RowKey")), text)
        if key in self._logged:
            return False
        if len(self._logged) >= MAX_REMEMBERED:
            self._logged.clear()
        self._logged.add(key)
        log.warning("%s", text, extra={"account": self._account, "partition_key": self._account, "row_key": key[0]})
        return True
