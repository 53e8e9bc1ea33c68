"""Whether the standard variables of OpenTelemetry ask for traces, and where to send them."""

from collections.abc import Mapping

from proxy.settings import SettingsError

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
# The variable of traces alone comes before that of all signals, which other programs of the host may need otherwise.
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
EXPORTER = "OTEL_TRACES_EXPORTER"
DISABLED = "OTEL_SDK_DISABLED"

SUPPORTED = ("otlp", "console")
PROTOCOL = "http/protobuf"


def parse_exporters(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Returns the names of the trace exporters; none where traces are off.

    Raises:
        SettingsError: a variable names an unsupported exporter or protocol.
    """
    names = tuple(filter(None, (part.strip().lower() for part in environment.get(EXPORTER, "").split(","))))
    if names == ("none",) or environment.get(DISABLED, "").strip().lower() == "true":
        return ()
    if not names and any(environment.get(name) for name in ENDPOINTS):
        names = ("otlp",)
    if unsupported := set(names) - set(SUPPORTED):
        raise SettingsError(f"{EXPORTER}: must be otlp, console or none, not {min(unsupported)[:40]!r}")
    variable = next((name for name in PROTOCOLS if environment.get(name)), None)
    if "otlp" in names and variable is not None and environment[variable] != PROTOCOL:
        raise SettingsError(f"{variable}: must be {PROTOCOL}, not {environment[variable][:40]!r}")
    return names
