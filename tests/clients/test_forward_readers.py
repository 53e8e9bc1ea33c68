"""Clients that walk through the XML answer from top to bottom and never look back."""

from dataclasses import dataclass, field

import pytest

from tests.clients.forward_reader import ForwardReader, NodeType
from tests.clients.jobs import CONTENT, load_job, status_url
from tests.support.live import LiveServer
from tests.support.storage import Storage


@dataclass
class JobSeen:
    """What such a client knows of a job when it stops reading."""

    links: dict[str, str] = field(default_factory=dict)
    status: str = ""


def documented_walk(content: bytes) -> JobSeen:
    """The documents' sample: the first attribute of a link is its role, the second its name; it stops at Status."""
    reader, seen = ForwardReader(content), JobSeen()
    while reader.read():
        if reader.node.type is not NodeType.ELEMENT:
            continue
        if reader.node.name == "Link":
            role, *names = reader.node.attributes
            key = role if role == "self" else names[0]
            reader.read()
            seen.links[key] = reader.node.text
        elif reader.node.name == "Status":
            reader.read()
            seen.status = reader.node.text
            return seen
    return seen


def skipping_walk(content: bytes) -> JobSeen:
    """A shipped client's: it reads an element's content, which leads past its end, and then one node further."""
    reader, seen = ForwardReader(content), JobSeen()
    while reader.read():
        if reader.node.type is not NodeType.ELEMENT:
            continue
        if reader.node.name == "Link":
            key = "/".join(reader.node.attributes)
            seen.links[key] = reader.read_element_content()
        elif reader.node.name == "Status":
            seen.status = reader.read_element_content()
    return seen


@pytest.mark.parametrize("status", ["Pending", "Completed", "Aborted"])
def test_the_documented_sample_sees_the_status_and_every_link(status: str, proxy: LiveServer, account: Storage) -> None:
    job_id = load_job(account, status)
    seen = documented_walk(proxy.client.get(status_url(proxy, job_id, "&o=xml")).content)
    assert seen.status == status
    assert seen.links["self"].endswith(f"/REST/v1/dataflows/LoadDataSource/{job_id}")
    if status == "Completed":
        assert proxy.client.get(seen.links["succeeded"] + "?key=master-key").content == CONTENT
        assert seen.links["service"].endswith("/data/20181f26d9e94c81acdf9496133d4f23/FourthCoffeeSample")


@pytest.mark.parametrize("status", ["Pending", "Completed", "Aborted"])
def test_a_forward_reader_skips_white_space_only(status: str, proxy: LiveServer, account: Storage) -> None:
    content = proxy.client.get(status_url(proxy, load_job(account, status), "&o=xml")).content
    seen = skipping_walk(content)
    assert seen.status == status
    expected = ["self", "output/succeeded", "datasource/service", "dataSource/service"]
    assert list(seen.links) == (expected if status == "Completed" else expected[:1])
    # Why the answer is indented: without white space each link hides the next one, or the status, and it polls on.
    assert skipping_walk(b"".join(line.strip() for line in content.splitlines())) != seen
