"""What shipped programs send and read when they geocode a batch (geocode.md, sections 1 and 3.4), replayed."""

import gzip
import re
import time
from typing import Any

import pytest
from lxml import etree

from tests.clients.jobs import reachable
from tests.support.geocoding import WAIT_SECONDS, Geocoding
from tests.support.live import MASTER

pytestmark = pytest.mark.slow

URL = "/REST/v1/Dataflows/Geocode"
NAMESPACE = "{http://schemas.microsoft.com/search/local/2010/5/geocode}"

TIDYGEOCODER_HEAD = (
    "Bing Spatial Data Services, 2.0\n"
    "Id|GeocodeRequest/Culture|GeocodeRequest/Query|GeocodeResponse/Address/AddressLine|"
    "GeocodeResponse/Address/AdminDistrict|GeocodeResponse/Address/CountryRegion|"
    "GeocodeResponse/Address/FormattedAddress|GeocodeResponse/Address/Locality|GeocodeResponse/Address/PostalCode|"
    "GeocodeResponse/Confidence|GeocodeResponse/Name|GeocodeResponse/EntityType|GeocodeResponse/MatchCodes|"
    "GeocodeResponse/Point/Latitude|GeocodeResponse/Point/Longitude|GeocodeResponse/BoundingBox/SouthLatitude|"
    "GeocodeResponse/BoundingBox/WestLongitude|GeocodeResponse/BoundingBox/NorthLatitude|"
    "GeocodeResponse/BoundingBox/EastLongitude|StatusCode|FaultReason|TraceId\n"
)


def finish(geocoding: Geocoding, url: str, **query: str) -> dict[str, Any]:
    """Polls a status URL as it was answered, with the key that a client adds."""
    end = time.monotonic() + WAIT_SECONDS
    while True:
        answer = geocoding.server.client.get(reachable(url, geocoding.server), params={"key": MASTER} | query).json()
        (job,) = answer["resourceSets"][0]["resources"]
        if job["status"] != "Pending":
            return dict(job)
        assert time.monotonic() < end
        time.sleep(0.2)


def test_tidygeocoder_reads_a_table(geocoding: Geocoding) -> None:
    """R: it takes the second link, skips a line, and loses all where a row has another width or a raw quote."""
    rows = ["1|en-US|Denver, CO" + "|" * 19, "2|en-US|O'Brien Street 5\" Denver" + "|" * 19]
    created = geocoding.server.client.post(
        f"{geocoding.server.url}{URL}",
        params={"input": "pipe", "key": MASTER},
        content=(TIDYGEOCODER_HEAD + "\n".join(rows) + "\n").encode(),
        headers={"Content-Type": "text/plain"},
    )
    assert created.status_code == 201
    (job,) = created.json()["resourceSets"][0]["resources"]
    done = finish(geocoding, f"{geocoding.server.url}{URL}/{job['id']}")
    assert done["processedEntityCount"] != done["failedEntityCount"]
    url = done["links"][1]["url"]
    text = geocoding.server.client.get(url).text
    head, *table = text.splitlines()[1:]
    assert head == TIDYGEOCODER_HEAD.splitlines()[1]
    assert len(table) == 2
    for line in table:
        bare = re.sub(r'(^|(?<=\|))"(?:[^"]|"")*"(?=\||$)', "", line)
        assert bare.count("|") == head.count("|")
        assert not set("'\"#") & set(bare)


def test_the_toolkit_reads_a_feed(geocoding: Geocoding) -> None:
    """.NET: gzip XML 2.0 without ids, ConfidenceFilter first; it polls Location and reads the feed by namespace."""
    feed = (
        '﻿<?xml version="1.0" encoding="utf-8"?><GeocodeFeed xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'Version="2.0" xmlns="http://schemas.microsoft.com/search/local/2010/5/geocode"><GeocodeEntity>'
        '<GeocodeRequest Culture="en-US" Query="Denver, CO" IncludeNeighborhood="true" MaxResults="3">'
        '<ConfidenceFilter MinimumConfidence="Medium" /><Address Landmark="" /></GeocodeRequest></GeocodeEntity>'
        '<GeocodeEntity><GeocodeRequest Culture="en-US" Query="Nowhere at all" /></GeocodeEntity></GeocodeFeed>'
    )
    created = geocoding.server.client.post(
        f"{geocoding.server.url}{URL}?input=xml&key={MASTER}&clientApi=SDSToolkit",
        content=gzip.compress(feed.encode()),
        headers={"Content-Type": "application/octet-stream", "Expect": "100-continue"},
    )
    assert created.status_code == 201
    job = finish(geocoding, created.headers["location"], output="json", clientApi="SDSToolkit")
    found = {name: etree.fromstring(data) for name, data in geocoding.outputs(job).items()}
    assert [request.get("Query") for request in found["failed"].iter(f"{NAMESPACE}GeocodeRequest")] == [
        "Nowhere at all"
    ]
    (entity,) = found["succeeded"]
    assert entity[0].get("Query") == "Denver, CO"
    assert entity[0].get("IncludeNeighborhood") == "true"
    point = entity.find(f"{NAMESPACE}GeocodeResponse/{NAMESPACE}GeocodePoint")
    assert point is not None
    assert float(point.get("Latitude", "")) == pytest.approx(39.74, abs=0.1)


def test_power_bi_reads_a_feed_in_a_browser(geocoding: Geocoding) -> None:
    """XML 1.0 from a page of another origin: the location is the response's second child; a slash before the query."""
    feed = (
        '<?xml version="1.0" encoding="utf-8"?>\n  <GeocodeFeed '
        'xmlns="http://schemas.microsoft.com/search/local/2010/5/geocode">'
        '<GeocodeEntity Id="0" xmlns=""><GeocodeRequest Culture="en-US" Query="Denver, CO"></GeocodeRequest>'
        "</GeocodeEntity></GeocodeFeed>"
    )
    origin = {"Origin": "https://app.powerbi.com"}
    created = geocoding.server.client.post(
        f"{geocoding.server.url}{URL}?description=job&input=xml&output=json&key={MASTER}",
        content=feed.encode(),
        headers=origin | {"Content-Type": "application/xml"},
    )
    assert created.headers["access-control-allow-origin"] == "*"
    assert "location" in created.headers["access-control-expose-headers"].lower()
    (job,) = created.json()["resourceSets"][0]["resources"]
    finish(geocoding, f"{geocoding.server.url}{URL}/{job['id']}")
    output = f"{geocoding.server.url}{URL}/{job['id']}/output/succeeded/?key={MASTER}"
    found = etree.fromstring(geocoding.server.client.get(output, headers=origin, follow_redirects=True).content)
    (entity,) = found
    response = entity.find(f"{NAMESPACE}GeocodeResponse")
    assert response is not None
    assert response.get("StatusCode") == "Success"
    assert entity[0].get("Query") == "Denver, CO"
    assert float(response[1].get("Latitude", "")) == pytest.approx(39.74, abs=0.1)


def test_the_perl_module_reads_fields_by_position(geocoding: Geocoding) -> None:
    """Three fields of the 1.0 pipe form; it asks for an output where a count is not 0, and splits into 31 fields."""
    created = geocoding.server.client.post(
        f"{geocoding.server.url}{URL}?key={MASTER}&input=pipe",
        content=b"0||Denver, CO\n1||Nowhere at all\n",
        headers={"Content-Type": "text/plain", "Accept-Encoding": "gzip,deflate"},
    )
    assert created.status_code == 201
    (job,) = created.json()["resourceSets"][0]["resources"]
    done = finish(geocoding, f"{geocoding.server.url}{URL}/{job['id']}")
    assert (done["failedEntityCount"], done["processedEntityCount"]) == (1, 2)
    fields = {}
    for name in ("succeeded", "failed"):
        output = f"{geocoding.server.url}{URL}/{job['id']}/output/{name}?key={MASTER}"
        text = geocoding.server.client.get(output, follow_redirects=True).text
        (fields[name],) = [line.split("|") for line in text.splitlines()]
    assert [len(found) for found in fields.values()] == [31, 31]
    assert (fields["succeeded"][0], fields["succeeded"][2], fields["succeeded"][27]) == ("0", "Denver, CO", "Success")
    assert (fields["failed"][0], fields["failed"][27]) == ("1", "BadRequest")
