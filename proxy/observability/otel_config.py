"""Whether the standard variables of OpenTelemetry ask for traces, and to where."""

from collections.abc import Mapping

from proxy.settings import SettingsError

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
EXPORTER = "OTEL_TRACES_EXPORTER"
DISABLED = "OTEL_SDK_DISABLED"

KNOWN = ("otlp", "console")
PROTOCOL = "http/protobuf"


def exporters_asked(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The exporters of traces, by their names; none where nobody asks for traces.

    Raises:
        SettingsError: a variable asks for what there is not.
    """
    if environment.get(DISABLED, "").strip().lower() == "true":
        return ()
    asked = tuple(filter(None, (part.strip().lower() for part in environment.get(EXPORTER, "").split(","))))
    if asked == ("none",):
        return ()
    if not asked and any(environment.get(name) for name in ENDPOINTS):
        asked = ("otlp",)
    if set(asked) - set(KNOWN):
        raise SettingsError(f"{EXPORTER}: must be otlp, console or none")
    # That of traces alone comes before that of all signals, which others of the host may need otherwise.
    said = next((name for name in PROTOCOLS if environment.get(name)), None)
    if "otlp" in asked and said is not None and environment[said] != PROTOCOL:
        raise SettingsError(f"{said}: must be {PROTOCOL}")
    return asked
