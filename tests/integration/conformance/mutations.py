"""For every rule an answer that breaks it: sections 1, 2, 5 and 6. The rest is in `job_mutations`."""

from dataclasses import replace

from proxy.conformance.contract import BING, JSON, XML
from proxy.conformance.exchange import Exchange, Purpose
from tests.integration.conformance.mutate import (
    Mutation,
    all_of,
    answer,
    body,
    each,
    gone,
    header,
    json_body,
    of,
    xml_body,
)

P = Purpose


def _with_bom(found: Exchange) -> Exchange:
    return replace(found, body=b"\xef\xbb\xbf" + found.body)


REQUESTS: dict[str, Mutation] = {
    "1.job-list": answer(of(P.LIST, form=XML), status=401),
    "1.load-status": gone(P.STATUS, kind="DataSourceIncremental"),
    "1.geocode-status": json_body('"id":"[^"]*"', '"id":"another"', P.STATUS, kind="Geocode"),
    "1.rollback-status": gone(P.STATUS, kind="DataSourceRollback"),
    "1.service-status": gone(P.STATUS, kind="DataSourceDelete"),
    "1.download-status": answer(of(P.DOWNLOAD), status=500),
    "1.path-case": gone(P.LIST_CASE),
    "1.parameter-case": body(of(P.LIST_PARAMETER_CASE), ".*", "{}", count=1),
    "1.value-case": answer(of(P.LIST_VALUE_CASE), status=400),
    "1.key-name-case": answer(of(P.LIST_KEY_NAME), status=401),
    "1.key-case": answer(of(P.OTHER_CASE_KEY), status=200),
    "1.id-case": json_body('"id":"[^"]*"', '"id":"OLD"', P.STATUS_CASE),
    "1.name-case": gone(P.DOWNLOAD_CASE),
    "1.name-shown": json_body("Shop", "sHOP", P.DOWNLOAD_CASE),
    "1.output-default": body(of(P.LIST_EMPTY_OUTPUT), ".*", "<Response />", count=1),
    "1.output": answer(of(P.LIST_OUTPUT), status=400),
    "1.output-alias": answer(of(P.LIST_ALIAS), status=400),
    "1.output-first": body(of(P.LIST_FIRST_OUTPUT, form=XML), ".*", "{}", count=1),
    "1.output-other": answer(of(P.BAD_OUTPUT), status=200),
    "1.slash": gone(P.STATUS_SLASH),
    "1.upgrade": answer(of(P.LIST_UPGRADE), status=101),
    "1.unknown-parameters": answer(of(P.LIST_UNKNOWN_PARAMETER), status=400),
    "1.name-length": gone(P.NAME_TOO_LONG),
    "1.name-other": gone(P.NAME_BAD),
    "1.name-characters": answer(of(P.NAME_RAW), status=400),
    "1.name-hyphen": answer(of(P.NAME_HYPHEN), status=500),
    "1.name-encoded": gone(P.DOWNLOAD_ENCODED),
    "1.odd-id": answer(of(P.ODD_ID), status=400),
    "1.download-by-name": json_body(r"DataSourceDownload\\/[^\"]*", r"DataSourceDownload\\/0123", P.DOWNLOAD),
    "1.download-id": gone(P.DOWNLOAD_ID),
    "1.download-by-id": json_body(r"DataSourceDownload\\/[^\"]*", r"DataSourceDownload\\/Shop", P.DOWNLOAD_ID),
    "1.output-kind": gone(P.OUTPUT),
    "1.output-listed": gone(P.OUTPUT_LISTED),
    "1.output-download": gone(P.OUTPUT_DOWNLOAD),
    "1.wrong-kind": answer(of(P.STATUS_WRONG_KIND), status=200),
    "1.head": answer(of(P.HEAD), status=405),
    "1.head-body": answer(of(P.HEAD), body=b"{}"),
}

ENVELOPE: dict[str, Mutation] = {
    "2.json-order": json_body(r'\{("authenticationResultCode":"[^"]*"),("brandLogoUri":"[^"]*")', r"{\2,\1", P.NO_PATH),
    "2.xml-order": xml_body("(<Copyright>.*</Copyright>)(.*)(<StatusCode>.*</StatusCode>)", r"\3\2\1", P.LIST),
    "2.all-there": json_body(',"traceId":"[^"]*"', "", P.LIST),
    "2.one-resource-set": json_body('("estimatedTotal":[0-9]*),("resources":.*\\])(\\})', r"\2,\1\3", P.LIST),
    "2.json-bom": each(of(P.STATUS, form=JSON), _with_bom),
    "2.json-slashes": json_body(r"\\/", "/", P.STATUS, count=1),
    "2.json-null": json_body(r'("status":)', r'"name":null,\1', P.STATUS),
    "2.compression": header(of(P.LIST), "Content-Encoding", "gzip"),
    "2.no-error-details": json_body('("resourceSets":)', r'"errorDetails":[],\1', P.LIST),
    "2.aborted-error-details": json_body('"errorDetails":\\[[^]]*\\]', '"errorDetails":[]', P.STATUS),
    "2.empty-list": json_body('"estimatedTotal":0', '"estimatedTotal":1', P.LIST),
    "2.error-resource-sets": json_body(
        r'"resourceSets":\[\]', '"resourceSets":[{"estimatedTotal":0,"resources":[]}]', P.NO_JOB
    ),
    "2.trace-id": json_body('("traceId":")[^"]*', r"\1" + "A" * 32, P.STATUS),
    "2.trace-id-new": json_body('("traceId":")[^"]*', r"\1" + "a" * 32, P.STATUS),
    "2.texts": xml_body("<BrandLogoUri>.*</BrandLogoUri>", "<BrandLogoUri />", P.LIST),
    "2.notice-year": json_body("© [0-9]{4}", "© 2013", P.STATUS),
    "2.status-code": json_body('"statusCode":200', '"statusCode":202', P.STATUS),
    "2.status-description": xml_body("<StatusDescription>OK", "<StatusDescription>Fine", P.STATUS),
    "2.json-content-type": header(of(P.STATUS, form=JSON), "Content-Type", "text/json; charset=utf-8"),
    "2.xml-content-type": header(of(P.STATUS, form=XML), "Content-Type", "application/xml"),
    "2.xml-root": xml_body('(xmlns="[^"]*)', r"\1/", P.LIST),
    "2.xml-namespaces": xml_body('xmlns:xsi="http', 'xmlns:xsi="https', P.STATUS),
    "2.xml-unprefixed": xml_body(
        '<Response xmlns:xsi="([^"]*)"(.*)<TraceId>(.*)</TraceId>',
        rf'<Response xmlns:b="{BING}" xmlns:xsi="\1"\2<b:TraceId>\3</b:TraceId>',
        P.LIST,
    ),
    "2.xml-declaration": xml_body(r"\A<\?xml[^>]*>\s*", "", P.STATUS),
    "2.xml-error-strings": xml_body("string>", "text>", P.NO_JOB),
    "2.xml-indented": xml_body(r">\s+<", "><", P.STATUS),
    "2.xml-after-link": xml_body(r"</Link>\s+", "</Link>", P.STATUS),
    "2.xml-completed-date": xml_body(r'<CompletedDate xsi:nil="true" />', "", P.STATUS),
    "2.xml-nil": xml_body(r'<CompletedDate xsi:nil="true" />', "<CompletedDate />", P.STATUS),
    "2.xml-optional": xml_body("(<Status>)", r"<Description />\1", P.STATUS),
}

ERRORS: dict[str, Mutation] = {
    "5.answered": answer(of(P.ODD_ID), status=0, failure="its answer breaks off"),
    "5.envelope": body(of(P.NO_PATH), ".*", "<html><body>404</body></html>", count=1),
    "5.codes": json_body('"authenticationResultCode":"ValidCredentials"', '"authenticationResultCode":"None"', P.LIST),
    "5.no-key": answer(of(P.NO_KEY), status=403),
    "5.unknown-key": json_body("InvalidCredentials", "NoCredentials", P.WRONG_KEY),
    "5.query-key": answer(of(P.QUERY_KEY_JOB), status=403),
    "5.malformed": json_body(
        '"authenticationResultCode":"ValidCredentials"', '"authenticationResultCode":"None"', P.NAME_BAD
    ),
    "5.malformed-told": json_body('"errorDetails":\\[[^]]*\\]', '"errorDetails":["No."]', P.BAD_OUTPUT),
    "5.no-such-job": answer(of(P.NO_JOB), status=403),
    "5.no-such-output": answer(of(P.OUTPUT_MISSING), status=403),
    "5.no-such-path": json_body('"None"', '"ValidCredentials"', P.NO_PATH),
    "5.wrong-method": header(of(P.POST_ONLY), "Allow", None),
    "5.server-fault": all_of(
        answer(of(P.NO_JOB), status=500), json_body("ValidCredentials", "NotAuthorized", P.NO_JOB)
    ),
    "5.unavailable": answer(of(P.NO_JOB), status=503),
    "5.error-details": json_body('"errorDetails":\\[[^]]*\\],', "", P.NO_PATH),
    "5.format": body(of(P.NO_JOB, form=XML), ".*", '{"statusCode":404}', count=1),
    "5.unknown-format": body(of(P.BAD_OUTPUT), ".*", "<Response />", count=1),
    "5.no-secrets": json_body('"errorDetails":\\["', '"errorDetails":["master-key: ', P.NO_JOB),
    "5.key-first": answer(of(P.NO_KEY_BAD_OUTPUT), status=400),
    "5.learns-nothing": answer(of(P.WRONG_KEY_KNOWN_JOB), status=403),
}

LIST: dict[str, Mutation] = {
    "6.description": json_body('"description":"DataSourceDelete"', '"description":"Coffee shops"', P.LIST),
    "6.no-downloads": json_body('"description":"DataSourceDelete"', '"description":"DataSourceDownload"', P.LIST),
    "6.name": all_of(
        json_body('"name":"[^"]*",("completedDate":"[^"]*",)?("createdDate")', r"\1\2", P.LIST),
        xml_body(r"<Name>[^<]*</Name>\s*", "", P.LIST),
    ),
    "6.geocode-name": json_body('("createdDate":"[^"]*","description":"Geocode")', r'"name":"Shop",\1', P.LIST),
    "6.window": json_body('"createdDate":"[^"]*"', '"createdDate":"Thu, 03 Jan 2013 23:22:15 GMT"', P.LIST, count=1),
    "6.pending-first": json_body('"status":"Pending"', '"status":"Completed"', P.LIST, count=1),
    "6.newest-first": xml_body("<CreatedDate>[^<]*", "<CreatedDate>2013-01-03T15:22:15.7979398-08:00", P.LIST, count=1),
    "6.once": json_body('"id":"[^"]*"', '"id":"twice"', P.LIST),
    "6.total": json_body('"estimatedTotal":[0-9]*', '"estimatedTotal":1', P.LIST),
    "6.no-links": json_body(
        '("id":"[^"]*",)("name":"[^"]*",)', r'\1"links":[{"role":"self","url":"https:\\/\\/a"}],\2', P.LIST, count=1
    ),
    "6.geocode-links": json_body('"links":\\[\\{"role":"self"[^}]*\\},?', '"links":[', P.LIST),
    "6.access-links": json_body('"role":"dataSource"', '"role":"self"', P.LIST),
    "6.links-agree": xml_body(r'<Link role="data[^>]*>[^<]*</Link>\s*', "", P.LIST),
    "6.query-key": answer(of(P.LIST_QUERY_KEY), status=401),
    "6.query-key-jobs": json_body('"id":"[^"]*"', '"id":"another"', P.LIST_QUERY_KEY, count=1),
    "6.query-key-geocode": answer(of(P.QUERY_KEY_GEOCODE), status=401),
    "6.query-key-information": answer(of(P.QUERY_KEY_INFORMATION), status=401),
    "6.formats-agree": xml_body("<Id>[^<]*</Id>", "<Id>another</Id>", P.LIST, count=1),
    "6.status-agrees": json_body('"createdDate":"[^"]*"', '"createdDate":"Thu, 03 Jan 2013 23:22:15 GMT"', P.STATUS),
}
