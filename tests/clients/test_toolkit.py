"""The .NET toolkit: it uploads, downloads and uploads again, publishes, and lists with its query key."""

import pytest

from tests.clients.toolkit import DataSet, Toolkit, ToolkitError
from tests.conftest import StartServer
from tests.support.live import MASTER, QUERY, LiveServer
from tests.support.storage import Storage
from tests.support.worker_desk import Desk, play
from tests.unit.formats.loading import xml_of

PLACES = xml_of(
    "<Shops><EntityID>1</EntityID><City>Köln</City><Latitude>50.9</Latitude><Longitude>7</Longitude></Shops>",
    "City:string",
    "Latitude:double",
    "Longitude:double",
)
PLACE = {"EntityID": "1", "City": "Köln", "Latitude": "50.9", "Longitude": "7"}

# Also names that are no XML names, and one that looks as if it had been encoded.
NAMES = ["FourthCoffee", "Fourth-Coffee-1", "$hops~`!^={}", "1st", "a_x0041_b"]


def work(storage: Storage) -> None:
    """Does all jobs that wait, as a worker would."""

    async def story(desk: Desk) -> None:
        await desk.work()

    play(storage, story)


def loaded(toolkit: Toolkit, storage: Storage, name: str, content: bytes = PLACES) -> None:
    """Loads a data source, and polls until the load has ended."""
    status_url = toolkit.load(name, content)
    assert toolkit.job(status_url).status == "Pending"  # a job just created is there for the next request
    work(storage)
    assert toolkit.job(status_url).status == "Completed"


def access_id(toolkit: Toolkit, name: str) -> str:
    """The access id, from the URL that the service document has."""
    return toolkit.data_sources()[name].split("/data/")[1].split("/")[0]


@pytest.mark.parametrize("name", NAMES)
def test_a_download_that_is_uploaded_again_is_the_same_data_source(
    name: str, storage: Storage, start: StartServer
) -> None:
    toolkit, redirected = [Toolkit(start(storage, output_links=mode), MASTER) for mode in ("sas", "redirect")]
    loaded(toolkit, storage, name)
    status_url = toolkit.download(access_id(toolkit, name), name)
    work(storage)
    content = toolkit.output(toolkit.job(status_url))
    assert redirected.output(redirected.job(status_url)) == content
    data_set = DataSet.parse(content)
    assert (data_set.name, data_set.entities) == (name, (PLACE,))
    # It knows the data source by the file alone.
    loaded(toolkit, storage, data_set.name, content.replace("Köln".encode(), b"Bonn"))
    assert list(toolkit.data_sources()) == [name]
    status_url = toolkit.download(access_id(toolkit, name), name)
    work(storage)
    assert DataSet.parse(toolkit.output(toolkit.job(status_url))).entities == (PLACE | {"City": "Bonn"},)


def test_a_link_without_the_word_succeeded_is_refused(storage: Storage, start: StartServer) -> None:
    path = f"Dataflows/LoadDataSource/{storage.job(OutputBlob=storage.export(b'<a/>', 'a.xml'))}"
    for suffix, is_refused in (("&legacy=#", True), ("&legacy=output/{output}#", False)):
        toolkit = Toolkit(start(storage, sas_suffix=suffix), MASTER)
        job = toolkit.job(f"{toolkit.server.url}/REST/v1/{path}?output=json&key={MASTER}")
        if is_refused:
            with pytest.raises(ToolkitError, match="no results"):
                toolkit.output(job)
        else:
            assert toolkit.output(job) == b"<a/>"


def test_it_publishes_and_follows_the_self_link_as_it_stands(server: LiveServer, storage: Storage) -> None:
    toolkit = Toolkit(server, MASTER)
    loaded(toolkit, storage, "Shops")
    status_url = toolkit.load("Shops", PLACES, "completeStaging")
    work(storage)
    assert toolkit.job(status_url).status == "Completed"
    assert toolkit.publish(access_id(toolkit, "Shops"), "Shops").status == "Pending"


def test_its_query_key_reads_what_data_sources_there_are(server: LiveServer, storage: Storage) -> None:
    master, query = Toolkit(server, MASTER), Toolkit(server, QUERY)
    for name in ("Fourth-Coffee", "Shops"):
        loaded(master, storage, name)
    assert query.data_sources() == master.data_sources()
    one = f"data/{access_id(query, 'Shops')}/Shops"
    assert list(query.data_sources(one)) == ["Shops"]
    assert query.data_sources("data/$GetPublicDataSourceList") == {}


def test_it_shows_why_an_aborted_job_ended(server: LiveServer, storage: Storage) -> None:
    toolkit = Toolkit(server, MASTER)
    status_url = toolkit.load("Shops", b"<Shops />")
    work(storage)
    with pytest.raises(ToolkitError, match="schema"):
        toolkit.job(status_url)


def test_it_shows_the_quota_in_the_services_own_words(storage: Storage, start: StartServer) -> None:
    toolkit = Toolkit(start(storage, max_active_jobs=1), MASTER)
    toolkit.load("Shops", PLACES)
    with pytest.raises(ToolkitError, match=r"^JobUsageQuota: Account already has 1 'Pending' jobs\.$"):
        toolkit.load("Shops", PLACES)
