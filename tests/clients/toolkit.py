"""A client in the manner of the .NET toolkit: how it asks, and how it reads what it is told."""

import gzip
import http.client
import json
import re
from dataclasses import dataclass
from urllib.parse import quote, urlencode

import httpx
from lxml import etree

from tests.clients.contract_serializer import DataflowJob, Response, read
from tests.clients.jobs import reachable
from tests.support.live import LiveServer

SECONDS = 60
_APP = "{http://www.w3.org/2007/app}"
_ATOM = "{http://www.w3.org/2005/Atom}"
_XSD = "{http://www.w3.org/2001/XMLSchema}"
_NAME = re.compile(r"[A-Za-z0-9~`!$^_={}-]{1,50}")


class ToolkitError(Exception):
    """What the toolkit tells its user."""


@dataclass(frozen=True)
class Toolkit:
    """The client, with its key."""

    server: LiveServer
    key: str

    def load(self, name: str, content: bytes, operation: str = "complete") -> str:
        """Uploads gzipped XML; gives the job's status URL: the Location, with a query put behind it."""
        if _NAME.fullmatch(name) is None:
            raise ToolkitError("the data source name is not valid")
        query = {"loadOperation": operation, "dataSourceName": name, "setPublic": "0", "input": "xml", "output": "json"}
        query |= {"key": self.key, "clientApi": "SDSToolkit.NET"}
        headers = {"Content-Type": "application/octet-stream", "Expect": "100-continue"}
        status, found, body = self._send("POST", f"Dataflows/LoadDataSource?{urlencode(query)}", content, headers)
        return self._created(status, found, body)

    def download(self, access_id: str, name: str) -> str:
        """Begins a download; gives its status URL."""
        path = f"Dataflows/DataSourceDownload/{access_id}/{quote(name, safe='')}"
        return self._created(*self._send("GET", f"{path}?output=json&key={self.key}&clientApi=SDSToolkit.NET"))

    def publish(self, access_id: str, name: str) -> DataflowJob:
        """Publishes what is staged, and follows the self link as it stands, with nothing put behind it."""
        path = f"data/{access_id}/{quote(name, safe='')}/$commit"
        status, _, body = self._send("GET", f"{path}?output=json&key={self.key}")
        (told,) = json.loads(body)["resourceSets"][0]["resources"]
        if status != http.client.ACCEPTED or told["description"] != "DataSourcePublishFromStaged":
            raise ToolkitError("the data source was not published")
        self_link = next(link["url"] for link in told["links"] if link["role"] == "self")
        return self._job(self._read(httpx.get(reachable(self_link, self.server), timeout=SECONDS)))

    def job(self, status_url: str) -> DataflowJob:
        """The job of a status URL; what an aborted job says stands in the envelope."""
        answer = self._read(httpx.get(reachable(status_url, self.server), timeout=SECONDS))
        if answer.error_details:
            raise ToolkitError(answer.error_details[0])
        return self._job(answer)

    def output(self, job: DataflowJob) -> bytes:
        """What a job made; a link without the word succeeded is refused."""
        link = next((link["url"] for link in job.links if link["role"] == "output"), "")
        if "succeeded" not in link:
            raise ToolkitError("the job has no results")
        answer = httpx.get(reachable(f"{link}?key={self.key}", self.server), follow_redirects=True, timeout=SECONDS)
        return answer.raise_for_status().content

    def data_sources(self, path: str = "data") -> dict[str, str]:
        """Each data source's name and the URL of its entities, from the service document."""
        service = etree.fromstring(self._send("GET", f"{path}?key={self.key}")[2])
        found = {}
        for workspace in service.iterfind(f"{_APP}workspace"):
            title, collection = workspace.find(f"{_ATOM}title"), workspace.find(f"{_APP}collection")
            assert title is not None
            assert collection is not None
            if _NAME.fullmatch(title.text or "") is None:
                raise ToolkitError("a workspace has no valid title")
            found[str(title.text)] = str(collection.attrib[f"{_APP}href"])
        return found

    def _send(
        self, method: str, target: str, content: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """Sends a request without Accept-Encoding; the body is read as it comes."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=SECONDS)
        try:
            packed = None if content is None else gzip.compress(content)
            connection.putrequest(method, f"/REST/v1/{target}", skip_accept_encoding=True)
            for name, value in (headers or {}).items():
                connection.putheader(name, value)
            if packed is not None:
                connection.putheader("Content-Length", str(len(packed)))
            connection.endheaders(packed)
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def _created(self, status: int, headers: dict[str, str], body: bytes) -> str:
        if status not in {http.client.CREATED, http.client.ACCEPTED}:
            raise ToolkitError(json.loads(body)["errorDetails"][0])
        if json.loads(body)["statusCode"] != http.client.CREATED:
            raise ToolkitError("the job was not created")
        return f"{headers['location']}?output=json&key={self.key}"

    @staticmethod
    def _read(answer: httpx.Response) -> Response:
        return read(answer.content, is_list=False)

    @staticmethod
    def _job(answer: Response) -> DataflowJob:
        (job,) = answer.resources
        if not isinstance(job, DataflowJob):
            raise ToolkitError("the status can't be read")
        return job


@dataclass(frozen=True)
class DataSet:
    """A downloaded file as the toolkit reads it: the data set's name is the data source's."""

    name: str
    entities: tuple[dict[str, str], ...]

    @classmethod
    def parse(cls, content: bytes) -> "DataSet":
        """Reads the schema, which has to be the root's first node, then the entities."""
        root = etree.fromstring(content)
        first = next(iter(root), None)
        if first is None or first.tag != f"{_XSD}schema":
            return cls("", ())  # an empty data source, without an error
        (declared,) = first.iterfind(f"{_XSD}element")
        name = re.sub("_[Xx]([0-9A-Fa-f]{8}|[0-9A-Fa-f]{4})_", lambda x: chr(int(x[1], 16)), declared.attrib["name"])
        rows = ({str(value.tag): value.text or "" for value in entity} for entity in root[1:])
        return cls(name, tuple(rows))
