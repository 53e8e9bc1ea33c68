"""What a log line holds, in both forms."""

import io
import json
import logging
import warnings

import pytest

from proxy.observability.logs import JsonFormatter, TextFormatter, configure_logs

log = logging.getLogger("proxy.test")


def configured(level: str, form: str, logger: str = log.name) -> io.StringIO:
    """Where the logs go that a logger writes: others of this process may write at the same time."""
    stream = io.StringIO()
    configure_logs(level, form, stream)
    for handler in logging.getLogger().handlers:
        handler.addFilter(lambda record: record.name == logger)
    return stream


def logged(form: str, level: str = "info") -> str:
    stream = configured(level, form)
    try:
        int("key=SECRET")
    except ValueError:
        log.exception(
            "failed for key=%s", "SECRET", extra={"trace_id": "abc", "account": "con\ntoso", "duration_ms": 1.5}
        )
    log.debug("not told")
    return stream.getvalue()


def test_a_json_line_is_one_object_with_its_fields_and_traceback() -> None:
    (line,) = logged("json").splitlines()
    told = json.loads(line)
    assert told["level"] == "error"
    assert told["message"] == "failed for key=***"
    assert (told["traceId"], told["account"], told["duration_ms"]) == ("abc", "con\ntoso", 1.5)
    assert "SECRET" not in told["traceback"]
    assert "ValueError: invalid literal" in told["traceback"]


def test_a_text_line_stays_one_line_above_its_traceback() -> None:
    first, *traceback = logged("text").splitlines()
    assert first.endswith("error   failed for key=*** traceId=abc account=con?toso duration_ms=1.5")
    assert traceback[0].startswith("Traceback")
    assert traceback[-1].startswith("ValueError: invalid literal for int() with base 10: 'key=***")


@pytest.mark.parametrize("formatter", [JsonFormatter(), TextFormatter()])
def test_a_record_without_fields_is_a_line(formatter: logging.Formatter) -> None:
    record = logging.LogRecord("proxy", logging.INFO, "", 0, "plain", None, None)
    assert "plain" in formatter.format(record)


def test_libraries_are_quiet_at_every_level() -> None:
    configure_logs("debug", "json", io.StringIO())
    for name in ("azure.core.pipeline.policies.http_logging_policy", "uvicorn.error", "aiohttp.client"):
        assert not logging.getLogger(name).isEnabledFor(logging.INFO)


def test_a_stream_that_takes_no_more_harms_nobody() -> None:
    stream = io.StringIO()
    configure_logs("info", "json", stream)
    stream.close()
    log.warning("into a closed pipe")


def test_an_unformattable_record_is_a_line_without_arguments() -> None:
    stream = configured("info", "json")
    log.warning("%d", "SECRET")
    assert json.loads(stream.getvalue())["message"] == "a record that can't be formatted"


def test_a_warning_of_a_library_is_a_line_as_any_other() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=False)  # another test may have done it, and pytest have undone it
        stream = configured("info", "json", "py.warnings")
        warnings.warn("key=SECRET is old", stacklevel=1)
        logging.captureWarnings(capture=False)
    (line,) = stream.getvalue().splitlines()
    told = json.loads(line)
    assert told["level"] == "warning"
    assert "key=*** is old" in told["message"]
