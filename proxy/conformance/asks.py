"""The requests that need no job: the job list in every way that a client may ask for it, and the errors."""

from proxy.conformance.exchanges import Ask, Format, Key, Purpose

LIST = "Dataflows/ListJobs"

# Nobody has these.
NO_ID = "00000000000000000000000000000000"
NO_NAME = "NoSuchSource0"
ODD_ID = "no%20such%20job%3F%20%C3%A9%27%24-."

XML = Format.XML
UPGRADE = (("Connection", "Upgrade, HTTP2-Settings, close"), ("Upgrade", "h2c"), ("HTTP2-Settings", "AAMAAABk"))

FIRST = Ask(purpose=Purpose.LIST, path=LIST)

# What a query key may list, only a master key may ask: each is asked at once whether it is what it was given for.
WITH_KEY = Ask(purpose=Purpose.NO_JOB, path=f"Dataflows/LoadDataSource/{NO_ID}")
WITH_QUERY_KEY = Ask(purpose=Purpose.QUERY_KEY_NO_JOB, path=f"Dataflows/LoadDataSource/{NO_ID}", key=Key.QUERY)

LISTS = (
    Ask(purpose=Purpose.LIST, path=LIST, query="output=xml", format=XML),
    Ask(purpose=Purpose.LIST_AGAIN, path=LIST),
    Ask(purpose=Purpose.LIST_CASE, path="dataflows/listjobs"),
    Ask(purpose=Purpose.LIST_CASE, path="DATAFLOWS/LISTJOBS"),
    Ask(purpose=Purpose.LIST_CASE, path=LIST, root="/rest/V1/"),
    Ask(purpose=Purpose.LIST_SLASH, path=LIST + "/"),
    Ask(purpose=Purpose.LIST_UPGRADE, path=LIST, headers=UPGRADE),
    Ask(purpose=Purpose.LIST_OUTPUT, path=LIST, query="output=json"),
    Ask(purpose=Purpose.LIST_OUTPUT, path=LIST, query="output=xml", format=XML),
    Ask(purpose=Purpose.LIST_ALIAS, path=LIST, query="o=json"),
    Ask(purpose=Purpose.LIST_ALIAS, path=LIST, query="o=xml", format=XML),
    Ask(purpose=Purpose.LIST_PARAMETER_CASE, path=LIST, query="O=xml", format=XML),
    Ask(purpose=Purpose.LIST_PARAMETER_CASE, path=LIST, query="OutPut=xml", format=XML),
    Ask(purpose=Purpose.LIST_VALUE_CASE, path=LIST, query="o=XML", format=XML),
    Ask(purpose=Purpose.LIST_VALUE_CASE, path=LIST, query="output=Json"),
    Ask(purpose=Purpose.LIST_KEY_NAME, path=LIST, key_name="KEY"),
    Ask(purpose=Purpose.LIST_KEY_NAME, path=LIST, key_name="Key"),
    Ask(purpose=Purpose.LIST_FIRST_OUTPUT, path=LIST, query="o=xml&output=json", format=XML),
    Ask(purpose=Purpose.LIST_FIRST_OUTPUT, path=LIST, query="output=json&o=xml"),
    Ask(purpose=Purpose.LIST_EMPTY_OUTPUT, path=LIST, query="o="),
    Ask(purpose=Purpose.LIST_EMPTY_OUTPUT, path=LIST, query="output="),
    Ask(purpose=Purpose.LIST_UNKNOWN_PARAMETER, path=LIST, query="clientApi=SDSClient&nobodyKnows=1"),
    Ask(purpose=Purpose.LIST_ACCEPT, path=LIST, headers=(("Accept", "application/xml"),)),
    Ask(purpose=Purpose.LIST_ACCEPT, path=LIST, query="o=xml", format=XML, headers=(("Accept", "application/json"),)),
    Ask(purpose=Purpose.HEAD, path=LIST, method="HEAD"),
    Ask(purpose=Purpose.HEAD, path=LIST, query="output=xml", format=XML, method="HEAD"),
)

_BAD = "output=pdf"

ERRORS = (
    Ask(purpose=Purpose.BAD_OUTPUT, path=LIST, query=_BAD),
    Ask(purpose=Purpose.BAD_OUTPUT, path=LIST, query="o=0"),
    Ask(purpose=Purpose.NO_KEY, path=LIST, key=Key.NONE),
    Ask(purpose=Purpose.NO_KEY, path=LIST, query="o=xml", format=XML, key=Key.NONE),
    Ask(purpose=Purpose.NO_KEY, path=LIST, key=Key.EMPTY),
    Ask(purpose=Purpose.NO_KEY, path=f"Dataflows/LoadDataSource/{NO_ID}", key=Key.NONE),
    Ask(purpose=Purpose.WRONG_KEY, path=LIST, key=Key.WRONG),
    Ask(purpose=Purpose.WRONG_KEY, path=LIST, query="o=xml", format=XML, key=Key.WRONG),
    Ask(purpose=Purpose.WRONG_KEY_NO_JOB, path=f"Dataflows/LoadDataSource/{NO_ID}", key=Key.WRONG),
    Ask(purpose=Purpose.NO_KEY_BAD_OUTPUT, path=LIST, query=_BAD, key=Key.NONE),
    Ask(purpose=Purpose.NO_KEY_BAD_OUTPUT, path=LIST, query=_BAD, key=Key.WRONG),
    Ask(purpose=Purpose.HEAD, path=LIST, method="HEAD", key=Key.NONE),
    Ask(purpose=Purpose.NO_JOB, path=f"Dataflows/LoadDataSource/{NO_ID}", query="o=xml", format=XML),
    Ask(purpose=Purpose.NO_JOB, path=f"Dataflows/Geocode/{NO_ID}"),
    Ask(purpose=Purpose.NO_JOB, path=f"Dataflows/DataSourceRollback/{NO_ID}"),
    Ask(purpose=Purpose.NO_JOB, path=f"Dataflows/DataSourceDownload/{NO_NAME}"),
    Ask(purpose=Purpose.NO_JOB, path=f"data/jobs/{NO_ID}/$getstatus"),
    Ask(purpose=Purpose.NO_JOB, path=f"Dataflows/ListJobs/{NO_ID}/output/succeeded"),
    Ask(purpose=Purpose.HEAD, path=f"Dataflows/LoadDataSource/{NO_ID}", method="HEAD"),
    Ask(purpose=Purpose.ODD_ID, path=f"Dataflows/LoadDataSource/{ODD_ID}"),
    Ask(purpose=Purpose.ODD_ID, path=f"Dataflows/Geocode/{'x' * 120}"),
    Ask(purpose=Purpose.NAME_LONGEST, path=f"Dataflows/DataSourceDownload/{'n' * 50}"),
    Ask(purpose=Purpose.NAME_TOO_LONG, path=f"Dataflows/DataSourceDownload/{'n' * 51}"),
    Ask(purpose=Purpose.NAME_BAD, path="Dataflows/DataSourceDownload/no.such%20name"),
    Ask(purpose=Purpose.NAME_ENCODED, path="Dataflows/DataSourceDownload/No%7E%60%21%24%5E%5F%3D%7B%7DName"),
    Ask(purpose=Purpose.NAME_RAW, path="Dataflows/DataSourceDownload/No~`!$^_={}Name"),
    Ask(purpose=Purpose.NAME_HYPHEN, path="Dataflows/DataSourceDownload/No-Such-Name"),
    Ask(purpose=Purpose.NO_PATH, path="NoSuchPath"),
    Ask(purpose=Purpose.NO_PATH, path="Dataflows/NoSuchKind/x", query="o=xml", format=XML),
    # What only POST is for, without a key: whatever answers can create nothing.
    Ask(purpose=Purpose.POST_ONLY, path="Dataflows/LoadDataSource", key=Key.NONE),
)
