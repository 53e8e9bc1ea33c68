"""What a path asks for (wire-contract.md, section 1)."""

import pytest

from proxy.wire.errors import ApiError, ErrorCode
from proxy.wire.job_types import StatusPath
from proxy.wire.request import ApiCall, is_data_source_name, parse_path
from proxy.wire.routes import Operation

STATUS_PATHS = {
    "Dataflows/LoadDataSource/ID": StatusPath.LOAD,
    "Dataflows/DataSourceDownload/ID": StatusPath.DOWNLOAD,
    "Dataflows/Geocode/ID": StatusPath.GEOCODE,
    "Dataflows/DataSourceRollback/ID": StatusPath.ROLLBACK,
    "data/jobs/ID/$getstatus": StatusPath.SERVICE,
}
OUTPUT_PATHS = {
    "Dataflows/LoadDataSource/ID": StatusPath.LOAD,
    "Dataflows/DataSourceDownload/ID": StatusPath.DOWNLOAD,
    "Dataflows/Download/ID": StatusPath.DOWNLOAD,
    "Dataflows/Geocode/ID": StatusPath.GEOCODE,
    "Dataflows/DataSourceRollback/ID": StatusPath.ROLLBACK,
    "Dataflows/ListJobs/ID": StatusPath.LISTED,
}


def _parse(path: str, method: str = "GET") -> ApiCall:
    return parse_path(f"/REST/v1/{path}".encode(), method)


def _error(path: bytes, method: str = "GET") -> ApiError:
    with pytest.raises(ApiError) as caught:
        parse_path(path, method)
    return caught.value


@pytest.mark.parametrize(("path", "kind"), STATUS_PATHS.items())
def test_a_status_path_names_its_job(path: str, kind: StatusPath) -> None:
    assert _parse(path) == ApiCall(Operation.JOB_STATUS, kind, "ID")


@pytest.mark.parametrize(("path", "kind"), OUTPUT_PATHS.items())
@pytest.mark.parametrize("output", ["succeeded", "failed"])
def test_an_output_path_names_its_job_and_output(path: str, kind: StatusPath, output: str) -> None:
    assert _parse(f"{path}/output/{output}") == ApiCall(Operation.JOB_OUTPUT, kind, "ID", output)


def test_the_job_list_has_a_path_of_its_own() -> None:
    assert _parse("Dataflows/ListJobs") == ApiCall(Operation.JOB_LIST, StatusPath.LISTED)


@pytest.mark.parametrize("path", [*STATUS_PATHS, "Dataflows/ListJobs", "Dataflows/Geocode/ID/output/Succeeded"])
def test_letter_case_does_not_matter_but_in_ids_it_stays(path: str) -> None:
    for change in (str.lower, str.upper, str.swapcase):
        changed = change(path.replace("ID", "\0")).replace("\0", "mIxEd")
        call = parse_path(f"/rest/V1/{changed}".encode(), "GET")
        assert call == _parse(path.replace("ID", "mIxEd"))


@pytest.mark.parametrize("path", [*STATUS_PATHS, "Dataflows/ListJobs"])
def test_empty_segments_change_nothing(path: str) -> None:
    assert parse_path(f"//REST/v1/{path}//".encode(), "GET") == _parse(path)


@pytest.mark.parametrize(
    ("segment", "reference"),
    [
        ("a%20b", "a b"),
        ("a%2Fb", "a/b"),
        ("a+b", "a+b"),
        ("%C3%A9", "é"),
        ("%FF", "\ufffd"),
        ("%zz%", "%zz%"),
        ("..", ".."),
        ("%00", "\0"),
        ("a?b", "a?b"),
    ],
)
def test_a_reference_is_decoded_within_its_segment(segment: str, reference: str) -> None:
    assert _parse(f"Dataflows/Geocode/{segment}").reference == reference


def test_other_segments_may_be_encoded_too() -> None:
    assert parse_path(b"/%52EST/v1/data/jobs/x/%24getstatus", "GET").status_path is StatusPath.SERVICE


@pytest.mark.parametrize(
    "path",
    [
        b"",
        b"/",
        b"/REST/v1",
        b"/REST/v2/Dataflows/ListJobs",
        b"/Dataflows/ListJobs",
        b"/REST/v1/Dataflows",
        b"/REST/v1/Dataflows/ListJobs/x",
        b"/REST/v1/Dataflows/Download/x",
        b"/REST/v1/Dataflows/Geocode/x/output",
        b"/REST/v1/Dataflows/Geocode/x/output/both",
        b"/REST/v1/Dataflows/Geocode/x/output/succeeded/y",
        b"/REST/v1/data/jobs/x",
        b"/REST/v1/data/JOBS/x/$commit",
        b"/REST/v1/data/jobs/x/$metadata",
        b"/REST/v1/data/jobs/x/$updatedatasource",
        b"/REST/v1/data/x",
        b"/REST/v1/data/x/y/$count",
        b"/REST/v1/data/x/y/EntityType/z",
        b"/REST/v1/data/jobs/y/EntityType",
        b"/REST/v1/public/Geodata",
        b"/geo/spatial/v1/data",
        b"/REST/v1/Dataflows/DataSourceDownload",
        b"/REST/v1/Dataflows/DataSourceDownload/x/y/z",
        b"/REST/v1/data/jobs/x/$getstatus/output/succeeded",
        b"/REST/v1/Dataflows%2FListJobs",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_other_paths_do_not_exist_for_any_method(path: bytes, method: str) -> None:
    assert _error(path, method).code is ErrorCode.NO_SUCH_PATH


NAMED = {"access_id": "AcCess", "name": "Shops"}
DATA_SOURCES: dict[tuple[str, str], ApiCall] = {
    ("POST", "Dataflows/LoadDataSource"): ApiCall(Operation.LOAD, StatusPath.LISTED),
    ("GET", "Dataflows/DataSourceDownload/AcCess/Shops"): ApiCall(Operation.DOWNLOAD, StatusPath.LISTED, **NAMED),
    ("GET", "Dataflows/DataSourceRollback/VeRsion/Shops"): ApiCall(
        Operation.ROLLBACK, StatusPath.LISTED, "VeRsion", name="Shops"
    ),
    ("GET", "data/AcCess/Shops/$commit"): ApiCall(Operation.PUBLISH, StatusPath.LISTED, **NAMED),
    ("GET", "data/AcCess/Shops/$updatedatasource"): ApiCall(Operation.ACCESS, StatusPath.LISTED, **NAMED),
    ("DELETE", "data/AcCess/Shops"): ApiCall(Operation.DELETE, StatusPath.LISTED, **NAMED),
    ("GET", "data"): ApiCall(Operation.DATA_SOURCES, StatusPath.LISTED),
    ("GET", "data/$metadata"): ApiCall(Operation.ALL_METADATA, StatusPath.LISTED),
    ("GET", "data/$GetPublicDataSourceList"): ApiCall(Operation.PUBLIC_DATA_SOURCES, StatusPath.LISTED),
    ("GET", "data/AcCess/Shops"): ApiCall(Operation.DATA_SOURCE, StatusPath.LISTED, **NAMED),
    ("GET", "data/AcCess/Shops/$metadata"): ApiCall(Operation.METADATA, StatusPath.LISTED, **NAMED),
}


@pytest.mark.parametrize(("method", "path"), DATA_SOURCES)
def test_a_path_of_a_data_source_names_it(method: str, path: str) -> None:
    wanted = DATA_SOURCES[method, path]
    assert _parse(path, method) == wanted
    for change in (str.lower, str.upper):
        changed = path
        for word in ("Dataflows", "LoadDataSource", "DataSource", "data", "$commit", "$update", "$metadata", "$Get"):
            changed = changed.replace(word, change(word))
        assert _parse(changed + "/", method) == wanted


@pytest.mark.parametrize(
    ("path", "method", "allowed"),
    [
        ("Dataflows/LoadDataSource", "GET", ("POST",)),
        ("Dataflows/LoadDataSource", "HEAD", ("POST",)),
        ("Dataflows/DataSourceDownload/x/y", "HEAD", ("GET",)),
        ("Dataflows/DataSourceRollback/x/y", "HEAD", ("GET",)),
        ("data/x/y/$commit", "HEAD", ("GET",)),
        ("data/x/y/$updatedatasource", "HEAD", ("GET",)),
        ("data/x/y", "POST", ("GET", "HEAD", "DELETE")),
        ("data", "DELETE", ("GET", "HEAD")),
    ],
)
def test_head_never_creates_a_job(path: str, method: str, allowed: tuple[str, ...]) -> None:
    error = _error(f"/REST/v1/{path}".encode(), method)
    assert (error.code, error.allow) == (ErrorCode.WRONG_METHOD, allowed)


def test_an_output_is_no_data_source() -> None:
    assert _parse("Dataflows/DataSourceDownload/x/output/failed").operation is Operation.JOB_OUTPUT
    assert _parse("data/jobs/x/$getstatus").operation is Operation.JOB_STATUS


def test_head_works_wherever_get_does() -> None:
    assert _parse("Dataflows/ListJobs", "HEAD") == _parse("Dataflows/ListJobs")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "get"])
def test_a_wrong_method_names_the_allowed_ones(method: str) -> None:
    error = _error(b"/REST/v1/Dataflows/ListJobs", method)
    assert (error.code, error.allow) == (ErrorCode.WRONG_METHOD, ("GET", "HEAD"))


@pytest.mark.parametrize("name", ["a", "FourthCoffee1", "~`!$^_={}", "-", "a-b", "a" * 50])
def test_a_data_source_may_have_this_name(name: str) -> None:
    assert is_data_source_name(name)


@pytest.mark.parametrize("name", ["", "a" * 51, "a b", "a.b", "a\N{HYPHEN}b", "é", "a\n", "a/b", "%41", "\u0661"])
def test_a_data_source_cannot_have_this_name(name: str) -> None:
    assert not is_data_source_name(name)
