"""For every rule of sections 3 and 4 an answer that breaks it."""

from dataclasses import replace

from proxy.conformance.exchange import Exchange, Purpose
from tests.integration.conformance.mutate import Mutation, answer, body, each, header, json_body, of, xml_body

P = Purpose
_COUNTS = '("failedEntityCount":)[0-9]*'
_SIGNED = (P.STATUS, P.DOWNLOAD, P.LIST)


def signed(name: str, value: str) -> Mutation:
    """Changes a parameter of every signed link, in both formats."""
    return body(of(*_SIGNED), f"([?&;]){name}=[^&]*", rf"\g<1>{name}={value}")


def _from_host(found: Exchange) -> Exchange:
    host = dict(found.request.headers)["Host"]
    return replace(found, body=found.body.replace(b"spatial.example.net", host.encode()))


RESOURCES: dict[str, Mutation] = {
    "3.type-first": json_body(r'("__type":"[^"]*"),("id":"[^"]*")', r"\2,\1", P.STATUS),
    "3.type": json_body(r"DataflowJob:http:", "DataflowJob:https:", P.STATUS),
    "3.json-order": json_body('("status":"[^"]*"),("totalEntityCount":[0-9]*)', r"\2,\1", P.STATUS),
    "3.xml-order": xml_body(r"(<Status>.*?</Status>)(\s*)(<CreatedDate>.*?</CreatedDate>)", r"\3\2\1", P.STATUS),
    "3.one-job": json_body('"estimatedTotal":1', '"estimatedTotal":2', P.STATUS),
    "3.dataflow-job": json_body("DataflowJob", "DataServiceJob", P.STATUS, kind="Geocode"),
    "3.service-job": json_body("DataServiceJob", "DataflowJob", P.LIST),
    "3.service-status": json_body(',"totalEntityCount":[0-9]*', "", P.STATUS, kind="DataSourceDelete"),
    "3.no-counts": xml_body("(</DataServiceJob>)", r"<TotalEntityCount>0</TotalEntityCount>\1", P.LIST),
    "3.counts": json_body(',"totalEntityCount":[0-9]*', "", P.LIST),
    "3.int32": json_body(_COUNTS, r"\g<1>2147483648", P.STATUS),
    "3.status": json_body('"status":"Pending"', '"status":"pending"', P.STATUS),
    "3.json-dates": json_body('("createdDate":"[^"]*) GMT', r"\1 UTC", P.STATUS),
    "3.xml-dates": xml_body("(<CreatedDate>[^<]*)(-0[78]:00)", r"\g<1>0\2", P.STATUS),
    "3.zone": xml_body(
        "<CreatedDate>[^<]*</CreatedDate>(.*?<CompletedDate>)([^<]*)(-0[78]:00)",
        r"<CreatedDate>\2+05:30</CreatedDate>\1\2\3",
        P.STATUS,
    ),
    "3.dates-agree": xml_body("(<CreatedDate>)20..", r"\g<1>2013", P.STATUS),
    "3.ends-later": json_body('"completedDate"(:"[^"]*",)"createdDate"', r'"createdDate"\1"completedDate"'),
    "3.list-alone": json_body('"createdDate"', '"name":"Shop","createdDate"', P.STATUS),
    "3.pending-date": json_body(
        '("createdDate":"([^"]*)")(.*"status":"Pending")', r'"completedDate":"\2",\1\3', P.STATUS
    ),
    "3.aborted-message": xml_body("<ErrorMessage>.*?</ErrorMessage>", "", P.LIST),
    "3.characters": json_body('"description":"', r'"description":"\\u0001', P.STATUS),
    "3.formats-agree": xml_body("<ProcessedEntityCount>[0-9]*", "<ProcessedEntityCount>99", P.STATUS),
}

LINKS: dict[str, Mutation] = {
    "3.roles": json_body('"role":"dataSource"', '"role":"DataSource"', P.STATUS),
    "3.self-first": json_body(r'(\{"role":"self"[^}]*\}),(\{[^}]*\})', r"\2,\1", P.STATUS),
    "3.succeeded-second": json_body(
        r'(\{"name":"succeeded"[^}]*\}),(\{[^}]*\})', r"\2,\1", P.STATUS, kind="DataSourceComplete"
    ),
    "3.links-before-status": xml_body(
        r"(<Link [^>]*>[^<]*</Link>)(\s*)(<Description>.*?</Description>\s*<Status>[^<]*</Status>)", r"\3\2\1", P.STATUS
    ),
    "3.links-after-id": xml_body(r"(<Id>[^<]*</Id>)(\s*)(<Link [^>]*>[^<]*</Link>)", r"\3\2\1", P.STATUS),
    "3.link-members": json_body('("name":"[^"]*"),("role":"[^"]*")', r"\2,\1", P.STATUS),
    "3.link-attributes": xml_body('(role="[^"]*") (name="[^"]*")', r"\2 \1", P.STATUS),
    "3.self-url": json_body("LoadDataSource", "LoadDatasource", P.STATUS),
    "3.self-leads-back": answer(of(P.STATUS_SELF), status=404),
    "3.succeeded-when": json_body('"status":"Completed"', '"status":"Aborted"', P.STATUS),
    "3.service-when": xml_body("<Status>Completed", "<Status>Pending", P.STATUS),
    "3.service-there": json_body('"name":"service","role":"data', '"name":"services","role":"data', P.STATUS),
    "3.service-url": json_body(r"(REST\\/v1\\/data\\/[^\\\"]*)\\/[^\"]*", r"\1", P.STATUS),
    "3.spellings": json_body(r'("role":"dataSource","url":"[^"]*)', r"\g<1>x", P.STATUS),
    "3.access-role": json_body('"role":"dataSource"', '"role":"datasource"', P.STATUS, kind="DataSourceAccess"),
    "3.base": json_body(r"spatial\.example\.net", "spatial.example.org", P.STATUS),
    "3.base-not-host": each(of(P.LIST_OTHER_HOST), _from_host),
    "3.links-agree": xml_body(r'\s*<Link role="dataSource"[^/]*//.*?</Link>', "\n", P.STATUS),
}

OUTPUTS: dict[str, Mutation] = {
    "4.signed": json_body('"role":"output"', '"role":"datasource"', P.STATUS),
    "4.suffix": json_body('#"', '"', P.STATUS),
    "4.suffix-word": json_body(r'output\\/succeeded#"', 'output#"', P.STATUS),
    "4.suffix-name": json_body('legacy=([^#"]*#)"', r'timeout=\1"', P.STATUS),
    "4.appended-key": answer(of(P.LINK_APPENDED), status=403),
    "4.dropped-fragment": answer(of(P.LINK_DROPPED), status=403),
    "4.link-head": answer(of(P.LINK_HEAD), status=403),
    "4.one-blob": signed("sr", "c"),
    "4.reading": signed("sp", "rwd"),
    "4.https": body(of(*_SIGNED), r"127\.0\.0\.1:[0-9]+(\\?)/devstoreaccount1", r"contoso.blob.example\1/exports"),
    "4.start": signed("st", "2999-01-01T00%3A00%3A00Z"),
    "4.end": signed("se", "2999-01-01T00%3A00%3A00Z"),
    "4.saved-as": body(of(*_SIGNED), "(&|&amp;)rsct=[^&]*", ""),
    "4.delimited": signed("rsct", "text%2Fcsv"),
    "4.plain-bytes": header(of(P.LINK_APPENDED), "Content-Encoding", "gzip"),
    "4.redirect": answer(of(P.OUTPUT), status=308),
    "4.no-store": header(of(P.OUTPUT), "Cache-Control", "max-age=60"),
    "4.location": header(of(P.OUTPUT), "Location", "https://contoso.blob.example/a/b?sp=r&sig=abc&legacy=#"),
    "4.location-works": answer(of(P.LOCATION), status=403),
    "4.authenticates": header(of(P.OUTPUT_NO_KEY), "Location", "https://contoso.blob.example/a"),
    "4.linked": answer(of(P.OUTPUT_UNLINKED), status=302),
    "4.kept-link": json_body(r"\\/output\\/succeeded", r"\\/outputs\\/succeeded", P.LIST_QUERY_KEY),
}
