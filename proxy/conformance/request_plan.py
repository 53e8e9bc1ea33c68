"""The requests that need no job: the job list in every way that a client may ask for it, and the errors."""

from proxy.conformance.exchange import AskedFormat, Key, Purpose, Request

LIST = "Dataflows/ListJobs"

# Nobody has these.
NO_ID = "00000000000000000000000000000000"
NO_NAME = "NoSuchSource0"
ODD_ID = "no%20such%20job%3F%20%C3%A9%27%24-."

XML = AskedFormat.XML
UPGRADE = (("Connection", "Upgrade, HTTP2-Settings, close"), ("Upgrade", "h2c"), ("HTTP2-Settings", "AAMAAABk"))

FIRST = Request(purpose=Purpose.LIST, path=LIST)

# What a query key may list, only a master key may ask: each is asked at once whether it is what it was given for.
WITH_KEY = Request(purpose=Purpose.NO_JOB, path=f"Dataflows/LoadDataSource/{NO_ID}")
WITH_QUERY_KEY = Request(purpose=Purpose.QUERY_KEY_NO_JOB, path=f"Dataflows/LoadDataSource/{NO_ID}", key=Key.QUERY)

LISTS = (
    Request(purpose=Purpose.LIST, path=LIST, query="output=xml", format=XML),
    Request(purpose=Purpose.LIST_AGAIN, path=LIST),
    Request(purpose=Purpose.LIST_CASE, path="dataflows/listjobs"),
    Request(purpose=Purpose.LIST_CASE, path="DATAFLOWS/LISTJOBS"),
    Request(purpose=Purpose.LIST_CASE, path=LIST, root="/rest/V1/"),
    Request(purpose=Purpose.LIST_SLASH, path=LIST + "/"),
    Request(purpose=Purpose.LIST_UPGRADE, path=LIST, headers=UPGRADE),
    Request(purpose=Purpose.LIST_OUTPUT, path=LIST, query="output=json"),
    Request(purpose=Purpose.LIST_OUTPUT, path=LIST, query="output=xml", format=XML),
    Request(purpose=Purpose.LIST_ALIAS, path=LIST, query="o=json"),
    Request(purpose=Purpose.LIST_ALIAS, path=LIST, query="o=xml", format=XML),
    Request(purpose=Purpose.LIST_PARAMETER_CASE, path=LIST, query="O=xml", format=XML),
    Request(purpose=Purpose.LIST_PARAMETER_CASE, path=LIST, query="OutPut=xml", format=XML),
    Request(purpose=Purpose.LIST_VALUE_CASE, path=LIST, query="o=XML", format=XML),
    Request(purpose=Purpose.LIST_VALUE_CASE, path=LIST, query="output=Json"),
    Request(purpose=Purpose.LIST_KEY_NAME, path=LIST, key_name="KEY"),
    Request(purpose=Purpose.LIST_KEY_NAME, path=LIST, key_name="Key"),
    Request(purpose=Purpose.LIST_FIRST_OUTPUT, path=LIST, query="o=xml&output=json", format=XML),
    Request(purpose=Purpose.LIST_FIRST_OUTPUT, path=LIST, query="output=json&o=xml"),
    Request(purpose=Purpose.LIST_EMPTY_OUTPUT, path=LIST, query="o="),
    Request(purpose=Purpose.LIST_EMPTY_OUTPUT, path=LIST, query="output="),
    Request(purpose=Purpose.LIST_UNKNOWN_PARAMETER, path=LIST, query="clientApi=SDSClient&nobodyKnows=1"),
    Request(purpose=Purpose.LIST_ACCEPT, path=LIST, headers=(("Accept", "application/xml"),)),
    Request(
        purpose=Purpose.LIST_ACCEPT, path=LIST, query="o=xml", format=XML, headers=(("Accept", "application/json"),)
    ),
    Request(purpose=Purpose.HEAD, path=LIST, method="HEAD"),
    Request(purpose=Purpose.HEAD, path=LIST, query="output=xml", format=XML, method="HEAD"),
)

_BAD = "output=pdf"

ERRORS = (
    Request(purpose=Purpose.BAD_OUTPUT, path=LIST, query=_BAD),
    Request(purpose=Purpose.BAD_OUTPUT, path=LIST, query="o=0"),
    Request(purpose=Purpose.NO_KEY, path=LIST, key=Key.NONE),
    Request(purpose=Purpose.NO_KEY, path=LIST, query="o=xml", format=XML, key=Key.NONE),
    Request(purpose=Purpose.NO_KEY, path=LIST, key=Key.EMPTY),
    Request(purpose=Purpose.NO_KEY, path=f"Dataflows/LoadDataSource/{NO_ID}", key=Key.NONE),
    Request(purpose=Purpose.WRONG_KEY, path=LIST, key=Key.WRONG),
    Request(purpose=Purpose.WRONG_KEY, path=LIST, query="o=xml", format=XML, key=Key.WRONG),
    Request(purpose=Purpose.WRONG_KEY_NO_JOB, path=f"Dataflows/LoadDataSource/{NO_ID}", key=Key.WRONG),
    Request(purpose=Purpose.NO_KEY_BAD_OUTPUT, path=LIST, query=_BAD, key=Key.NONE),
    Request(purpose=Purpose.NO_KEY_BAD_OUTPUT, path=LIST, query=_BAD, key=Key.WRONG),
    Request(purpose=Purpose.HEAD, path=LIST, method="HEAD", key=Key.NONE),
    Request(purpose=Purpose.NO_JOB, path=f"Dataflows/LoadDataSource/{NO_ID}", query="o=xml", format=XML),
    Request(purpose=Purpose.NO_JOB, path=f"Dataflows/Geocode/{NO_ID}"),
    Request(purpose=Purpose.NO_JOB, path=f"Dataflows/DataSourceRollback/{NO_ID}"),
    Request(purpose=Purpose.NO_JOB, path=f"Dataflows/DataSourceDownload/{NO_NAME}"),
    Request(purpose=Purpose.NO_JOB, path=f"data/jobs/{NO_ID}/$getstatus"),
    Request(purpose=Purpose.NO_JOB, path=f"Dataflows/ListJobs/{NO_ID}/output/succeeded"),
    Request(purpose=Purpose.HEAD, path=f"Dataflows/LoadDataSource/{NO_ID}", method="HEAD"),
    Request(purpose=Purpose.ODD_ID, path=f"Dataflows/LoadDataSource/{ODD_ID}"),
    Request(purpose=Purpose.ODD_ID, path=f"Dataflows/Geocode/{'x' * 120}"),
    Request(purpose=Purpose.NAME_LONGEST, path=f"Dataflows/DataSourceDownload/{'n' * 50}"),
    Request(purpose=Purpose.NAME_TOO_LONG, path=f"Dataflows/DataSourceDownload/{'n' * 51}"),
    Request(purpose=Purpose.NAME_BAD, path="Dataflows/DataSourceDownload/no.such%20name"),
    Request(purpose=Purpose.NAME_ENCODED, path="Dataflows/DataSourceDownload/No%7E%60%21%24%5E%5F%3D%7B%7DName"),
    Request(purpose=Purpose.NAME_RAW, path="Dataflows/DataSourceDownload/No~`!$^_={}Name"),
    Request(purpose=Purpose.NAME_HYPHEN, path="Dataflows/DataSourceDownload/No-Such-Name"),
    Request(purpose=Purpose.NO_PATH, path="NoSuchPath"),
    Request(purpose=Purpose.NO_PATH, path="Dataflows/NoSuchKind/x", query="o=xml", format=XML),
    # What only POST is for, without a key: whatever answers can create nothing.
    Request(purpose=Purpose.POST_ONLY, path="Dataflows/LoadDataSource", key=Key.NONE),
)
