"""The bytes of the information answers (write-contract.md, "Shapes of the information answers")."""

import json
from dataclasses import replace
from typing import Any

from lxml import etree

from adapters.model.ticks import parse_ticks
from proxy.wire.service_document import DISCLAIMER, ServiceDocument, ServiceDocumentEntry, render_atom, render_json

BASE = "https://spatial.example.net"
WHOLE = 'bsi:isStagingDataSource="false"'
COPYRIGHT = "© 2013 & its <suppliers>"

CURRENT = ServiceDocumentEntry(
    name="FourthCoffeeSample",
    access_id="20181f26d9e94c81acdf9496133d4f23",
    entity_type="FourthCoffeeShops",
    job_id="9cdf8b21033c474db7274ffe113f1f27",
    is_staging=False,
    is_active=True,
    is_public=True,
    updated=parse_ticks("2013-02-25T19:44:10.5Z"),
    uploaded=parse_ticks("2013-02-25T19:40:00Z"),
)
STAGED = replace(
    CURRENT,
    job_id="f255f81b7a274022a2d6f000adf9a5b5",
    is_staging=True,
    is_active=False,
    is_public=False,
    uploaded=parse_ticks("2013-02-22T19:51:58Z"),
)
EARLIER = replace(CURRENT, job_id="60754ccac0cf40d391f1895e3652c1ba", is_active=False)


def document(*entries: ServiceDocumentEntry, **shape: bool) -> ServiceDocument:
    return ServiceDocument(entries, COPYRIGHT, BASE, **shape)


def inner(*entries: ServiceDocumentEntry, **shape: bool) -> dict[str, Any]:
    (only,) = json.loads(render_json(document(*entries, **shape))).items()
    assert only[0] == "d"
    return dict(only[1])


def test_the_service_document_is_this_to_the_byte() -> None:
    assert render_atom(document(CURRENT)).decode() == (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<app:service xmlns:app="http://www.w3.org/2007/app" xmlns:atom="http://www.w3.org/2005/Atom"'
        ' xmlns:bsi="http://schemas.microsoft.com/bing/spatial/2010/11/odata">\n'
        "  <bsi:copyright>© 2013 &amp; its &lt;suppliers&gt;</bsi:copyright>\n"
        '  <app:workspace bsi:isStagingDataSource="false" bsi:isActive="true" bsi:isPublic="true"'
        ' bsi:updated="2013-02-25T19:44:10Z">\n'
        "    <atom:title>FourthCoffeeSample</atom:title>\n"
        '    <app:collection app:href="https://spatial.example.net/REST/v1/data/20181f26d9e94c81acdf9496133d4f23/'
        'FourthCoffeeSample/FourthCoffeeShops">\n'
        "      <atom:title>FourthCoffeeShops</atom:title>\n"
        "    </app:collection>\n"
        "  </app:workspace>\n"
        "</app:service>"
    )


def test_all_versions_have_job_ids_and_dates() -> None:
    lines = render_atom(document(CURRENT, STAGED, EARLIER, has_versions=True)).decode().splitlines()
    assert [line.strip().removeprefix("<app:workspace ") for line in lines if "workspace bsi" in line] == [
        f'{WHOLE} bsi:isActive="true" bsi:isPublic="true" bsi:updated="2013-02-25T19:44:10Z">',
        'bsi:isStagingDataSource="true" bsi:isActive="false" bsi:isPublic="false" bsi:uploaded="2013-02-22T19:51:58Z">',
        f'{WHOLE} bsi:isActive="false" bsi:isPublic="true" bsi:updated="2013-02-25T19:44:10Z">',
    ]
    ids = [line.strip() for line in lines if "jobId" in line]
    assert ids == [f"<atom:jobId>{entry.job_id}</atom:jobId>" for entry in (CURRENT, STAGED, EARLIER)]


def test_the_public_list_has_a_disclaimer_and_both_dates() -> None:
    text = render_atom(document(CURRENT, is_public_list=True)).decode()
    assert f"<atom:title>FourthCoffeeSample</atom:title>\n    <atom:disclaimer>{DISCLAIMER}</atom:disclaimer>" in text
    assert 'bsi:uploaded="2013-02-25T19:40:00Z" bsi:updated="2013-02-25T19:44:10Z"' in text
    assert "jobId" not in text


def test_the_shipped_client_finds_what_it_needs() -> None:
    odd = replace(CURRENT, name="~`!$^_={}", entity_type="Läden & Co")
    root = etree.fromstring(render_atom(document(CURRENT, odd)))
    names = {"app": "http://www.w3.org/2007/app", "atom": "http://www.w3.org/2005/Atom"}
    spaces = root.findall("app:workspace", names)
    assert [space.findtext("atom:title", namespaces=names) for space in spaces] == [CURRENT.name, odd.name]
    (collection,) = spaces[1].findall("app:collection", names)
    assert collection.get("{http://www.w3.org/2007/app}href") == (
        f"{BASE}/REST/v1/data/{odd.access_id}/~%60!$%5E_=%7B%7D/L%C3%A4den%20&%20Co"
    )
    assert collection.findtext("atom:title", namespaces=names) == odd.entity_type


def test_the_json_of_all_is_a_list() -> None:
    assert render_json(document(CURRENT)).decode() == (
        '{"d":{"Copyright":"© 2013 & its <suppliers>","DataSources":['
        '{"Name":"FourthCoffeeSample","IsPublic":"true","Updated":"Mon, 25 Feb 2013 19:44:10 GMT",'
        '"EntitySets":["FourthCoffeeShops"]}]}}'
    )


def test_the_json_of_one_has_its_members_beside_the_copyright() -> None:
    assert inner(CURRENT, is_single=True) == {
        "Copyright": COPYRIGHT,
        "Name": "FourthCoffeeSample",
        "IsPublic": "true",
        "Updated": "Mon, 25 Feb 2013 19:44:10 GMT",
        "EntitySets": ["FourthCoffeeShops"],
    }


def test_the_json_of_all_versions_is_a_list() -> None:
    current, staged = inner(CURRENT, STAGED, is_single=True, has_versions=True)["DataSources"]
    assert list(current) == [
        "Name",
        "JobId",
        "IsStagingDataSource",
        "IsActive",
        "IsPublic",
        "Updated",
        "EntitySets",
    ]
    assert (current["JobId"], current["IsActive"], staged["IsActive"]) == (CURRENT.job_id, "true", "false")
    assert (staged["IsStagingDataSource"], staged["IsPublic"]) == ("true", "false")
    assert staged["Uploaded"] == "Fri, 22 Feb 2013 19:51:58 GMT"
    assert "Updated" not in staged


def test_the_json_of_the_public_list_has_booleans() -> None:
    (source,) = inner(CURRENT, is_public_list=True)["DataSources"]
    assert source == {
        "Name": "FourthCoffeeSample",
        "Disclaimer": DISCLAIMER,
        "IsPublic": True,
        "Uploaded": "Mon, 25 Feb 2013 19:40:00 GMT",
        "Updated": "Mon, 25 Feb 2013 19:44:10 GMT",
        "EntitySets": ["FourthCoffeeShops"],
    }


def test_no_data_sources_are_an_empty_list() -> None:
    assert inner() == {"Copyright": COPYRIGHT, "DataSources": []}
    assert len(etree.fromstring(render_atom(document()))) == 1


def test_every_slash_is_escaped_and_odd_characters_are_replaced() -> None:
    odd = replace(CURRENT, entity_type="a/\x01b")
    assert b'"a\\/\xef\xbf\xbdb"' in render_json(document(odd))
    assert "<atom:title>a/\ufffdb</atom:title>" in render_atom(document(odd)).decode()
