"""wire-contract.md, section 5: what nobody foresaw is our fault, and its details are for the log only."""

import pytest

from proxy.api.context import CallContext
from proxy.api.endpoint import HANDLERS
from proxy.api.responses import JobsResult
from proxy.wire.request import ApiCall
from proxy.wire.routes import Operation
from tests.support.live import LiveServer


async def fail(_call: ApiCall, _caller: CallContext) -> JobsResult:
    """A handler with a mistake in it, which holds a secret besides."""
    raise ZeroDivisionError("AccountKey=c2VjcmV0")


@pytest.mark.parametrize("output", ["json", "xml"])
def test_an_unforeseen_error_is_a_500_with_a_logged_trace_id(
    output: str, proxy: LiveServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    # No request and no row is known that does this, so the mistake is made here.
    monkeypatch.setitem(HANDLERS, Operation.JOB_LIST, fail)
    response = proxy.get("Dataflows/ListJobs", o=output)
    assert response.status_code == 500
    for hint in ("ZeroDivisionError", "Traceback", "AccountKey", "c2VjcmV0"):
        assert hint not in response.text
    (record,) = [record for record in caplog.records if record.exc_info]
    if output == "xml":
        assert f"<TraceId>{record.__dict__['trace_id']}</TraceId>" in response.text
    else:
        answer = response.json()
        assert (answer["traceId"], answer["statusCode"]) == (record.__dict__["trace_id"], 500)
        assert (answer["authenticationResultCode"], len(answer["errorDetails"])) == ("None", 1)
