"""The package `geocoder` from PyPI: its own code polls a geocode job and reads the results out of its output."""

import warnings
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter

from tests.support.live import LiveServer, start_server
from tests.support.storage import Storage

with warnings.catch_warnings():
    # Where it was installed without being compiled, its first import tells of escapes in its strings.
    warnings.filterwarnings("ignore", "invalid escape sequence", DeprecationWarning)
    warnings.filterwarnings("ignore", "invalid escape sequence", SyntaxWarning)
    from geocoder.bing_batch_forward import BingBatchForward
    from geocoder.bing_batch_reverse import BingBatchReverse

BING = "http://spatial.virtualearth.net"

FORWARD = (
    "Bing Spatial Data Services, 2.0\r\n"
    "Id,GeocodeRequest/Query,GeocodeResponse/Point/Latitude,GeocodeResponse/Point/Longitude\r\n"
    '0,"Denver,CO",39.7400093,-104.9920197\r\n'
    '1,"Köln",50.9383605,6.9599147\r\n'
)
REVERSE = (
    "Bing Spatial Data Services, 2.0\r\n"
    "Id,ReverseGeocodeRequest/Location/Latitude,ReverseGeocodeRequest/Location/Longitude,"
    "GeocodeResponse/Address/FormattedAddress,GeocodeResponse/Address/Locality,GeocodeResponse/Address/PostalCode,"
    "GeocodeResponse/Address/AdminDistrict,GeocodeResponse/Address/CountryRegion\r\n"
    '0,40.7943,-73.970859,"640 W 95th St, New York, NY 10025",New York,10025,NY,United States\r\n'
)


class ToProxy(HTTPAdapter):
    """Does what DNS does for a real client: leads Bing's host to the proxy."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Sends a request that was made for Bing."""
        request.url = (request.url or "").replace(BING, self._url)
        return super().send(request, *args, **kwargs)


def polling(batch: type[Any], job_id: str) -> type[Any]:
    """The package's class from the moment on in which it has its job's id; creating jobs is not served."""

    class Polling(batch):  # type: ignore[misc]  # the package has no types
        def _connect(self) -> bytes | bool:
            try:
                return bytes(self.get_job_result(job_id)) if self.is_job_done(job_id) else False
            except LookupError as error:
                self.error = str(error)
                return False

    return Polling


def session_to(server: LiveServer) -> requests.Session:
    """A session in which Bing's host is our server."""
    session = requests.Session()
    session.mount(BING, ToProxy(server.url))
    return session


@pytest.mark.parametrize("mode", ["sas", "redirect"])
@pytest.mark.parametrize("key", ["master-key", "query-key"])
def test_forward_results_come_out(mode: str, key: str, account: Storage) -> None:
    job_id = account.job("Geocode", OutputBlob=account.export(FORWARD.encode(), "output.csv"))
    with start_server(account, output_links=mode) as server, session_to(server) as session:
        found = polling(BingBatchForward, job_id)(["Denver,CO", "Köln"], key=key, session=session)
        assert [result.latlng for result in found] == [[39.7400093, -104.9920197], [50.9383605, 6.9599147]]
        assert (found.ok, found.error) == (True, False)


def test_reverse_results_come_out(proxy: LiveServer, account: Storage) -> None:
    job_id = account.job("Geocode", OutputBlob=account.export(REVERSE.encode(), "output.csv"))
    with session_to(proxy) as session:
        (result,) = polling(BingBatchReverse, job_id)([(40.7943, -73.970859)], key="master-key", session=session)
    assert (result.address, result.city) == ("640 W 95th St, New York, NY 10025", "New York")


@pytest.mark.parametrize(
    ("status", "error"), [("Running", False), ("Failed", "Bing job aborted"), ("Error", "Bing job aborted")]
)
def test_it_knows_an_unfinished_and_an_aborted_job(
    status: str, error: object, proxy: LiveServer, account: Storage
) -> None:
    with session_to(proxy) as session:
        found = polling(BingBatchForward, account.job("Geocode", status))(["x"], key="master-key", session=session)
    assert (len(found), found.error) == (0, error)


def test_a_job_that_is_not_there_is_an_error_in_its_own_words(proxy: LiveServer) -> None:
    with session_to(proxy) as session:
        found = polling(BingBatchForward, "none")(["x"], key="master-key", session=session)
    assert found.error == "Job ID not found in Bing answer - something is wrong"
