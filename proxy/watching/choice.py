"""What is counted and traced, as the settings and the environment ask for it. What nobody asks for is not imported."""

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from proxy.settings import Settings, SettingsError
from proxy.watching.account_watch import AccountWatch
from proxy.watching.otel_variables import exporters_asked
from proxy.watching.request_watch import RequestWatch

if TYPE_CHECKING:
    from proxy.watching.series import Series
    from proxy.watching.spans import Spans


@dataclass(frozen=True, slots=True)
class Watching:
    """Metrics and traces, each only where it is asked for."""

    series: "Series | None" = None
    spans: "Spans | None" = None

    def account(self, name: str) -> AccountWatch:
        """The watch on an account's storage."""
        return AccountWatch(name, self.series, self.spans)

    def requests(self) -> RequestWatch | None:
        """The watch on requests; None where it would see nothing."""
        return None if self.series is None and self.spans is None else RequestWatch(self.series, self.spans)

    def close(self) -> None:
        """Sends what is left of the traces."""
        if self.spans is not None:
            self.spans.close()


NOTHING = Watching()


def watching(settings: Settings, *, worker: bool = False) -> Watching:
    """What this process counts and traces. A worker's requests are its own, so that it has no traces.

    Raises:
        SettingsError: a variable asks for what there is not.
    """
    series = None
    if settings.metrics_port is not None:
        from proxy.watching.series import PROCESS, Series  # noqa: PLC0415 - as said above

        series = Series(PROCESS, worker=worker)
    return Watching(series, None if worker else spans_asked())


def spans_asked() -> "Spans | None":
    """What makes spans, where the environment asks for traces.

    Raises:
        SettingsError: a variable asks for what there is not.
    """
    exporters = exporters_asked(os.environ)
    if not exporters:
        return None
    try:
        from proxy.watching.spans import Spans  # noqa: PLC0415 - as said above; it reads variables as it is imported

        return Spans(exporters)
    except ValueError as error:
        raise SettingsError(f"OTEL_: a value that can't be: {type(error).__name__}") from None
