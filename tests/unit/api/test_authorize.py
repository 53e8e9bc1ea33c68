"""Which key may ask for which operation."""

import pytest

from proxy.api.context import authorize
from proxy.keyring.keyring import KeyGrant, Role
from proxy.keyring.patterns import compile_pattern
from proxy.wire.errors import ApiError, ErrorCode
from proxy.wire.request import parse_path, parse_query

MASTER, QUERY = KeyGrant("contoso"), KeyGrant("contoso", Role.QUERY)
RESTRICTED = KeyGrant("contoso", data_sources=(compile_pattern("Shops*"),))
JOB = "0a" * 16


def refusal(grant: KeyGrant, path: str, method: str = "GET", query: str = "") -> ErrorCode | None:
    try:
        authorize(parse_path(f"/REST/v1/{path}".encode(), method), grant, parse_query(query.encode()))
    except ApiError as error:
        return error.code
    return None


FOR_ANY_KEY = [
    "Dataflows/ListJobs",
    f"Dataflows/Geocode/{JOB}",
    f"Dataflows/Geocode/{JOB}/output/failed",
    f"Dataflows/ListJobs/{JOB}/output/succeeded",  # the job decides
    "data",
    "data/$metadata",
    "data/$GetPublicDataSourceList",
    "data/a1/Shops",
    "data/a1/Shops/$metadata",
]
FOR_MASTER_KEYS = [
    ("GET", f"Dataflows/LoadDataSource/{JOB}"),
    ("GET", f"Dataflows/LoadDataSource/{JOB}/output/failed"),
    ("GET", "Dataflows/DataSourceDownload/Shops"),
    ("GET", f"Dataflows/DataSourceRollback/{JOB}"),
    ("GET", f"data/jobs/{JOB}/$getstatus"),
    ("POST", "Dataflows/LoadDataSource"),
    ("GET", "Dataflows/DataSourceDownload/a1/Shops"),
    ("GET", f"Dataflows/DataSourceRollback/{JOB}/Shops"),
    ("GET", "data/a1/Shops/$commit"),
    ("GET", "data/a1/Shops/$updatedatasource"),
    ("DELETE", "data/a1/Shops"),
]


@pytest.mark.parametrize("path", FOR_ANY_KEY)
def test_any_key_may_read_information(path: str) -> None:
    assert [refusal(grant, path) for grant in (MASTER, QUERY)] == [None, None]


@pytest.mark.parametrize(("method", "path"), FOR_MASTER_KEYS)
def test_the_rest_needs_a_master_key(method: str, path: str) -> None:
    assert refusal(MASTER, path, method) is None
    assert refusal(QUERY, path, method) is ErrorCode.MASTER_KEY_NEEDED


@pytest.mark.parametrize(
    ("method", "path", "query"),
    [
        ("GET", "data/a1/Other", ""),
        ("DELETE", "data/a1/Other", ""),
        ("POST", "Dataflows/LoadDataSource", "dataSourceName=Other"),
    ],
)
def test_a_restricted_key_opens_its_data_sources_only(method: str, path: str, query: str) -> None:
    assert refusal(RESTRICTED, path, method, query) is ErrorCode.OTHER_DATA_SOURCE
    assert refusal(RESTRICTED, path.replace("Other", "Shops"), method, query.replace("Other", "Shops")) is None


def test_a_restricted_key_opens_no_geocode_job() -> None:
    assert refusal(RESTRICTED, f"Dataflows/Geocode/{JOB}") is ErrorCode.OTHER_DATA_SOURCE


@pytest.mark.parametrize(
    ("grant", "path", "query", "code"),
    [
        (QUERY, f"Dataflows/LoadDataSource/{JOB}", "o=pdf", ErrorCode.MASTER_KEY_NEEDED),
        (RESTRICTED, "data/a1/Other", "o=pdf", ErrorCode.OTHER_DATA_SOURCE),
        (MASTER, "data/a1/Shops/Shop", "o=pdf", ErrorCode.NOT_SERVED),
        (MASTER, "data/a1/Sh%20ops", "o=pdf", ErrorCode.BAD_OUTPUT),
        (MASTER, "data/a1/Sh%20ops", "", ErrorCode.BAD_DATA_SOURCE_NAME),
    ],
)
def test_the_key_is_judged_before_the_form(grant: KeyGrant, path: str, query: str, code: ErrorCode) -> None:
    assert refusal(grant, path, query=query) is code
