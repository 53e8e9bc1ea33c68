"""What the parameters of the write side say, and which of them are refused (write-contract.md, "Requests")."""

import pytest

from adapters.model.jobs import JobType
from proxy.wire.errors import ApiError, ErrorCode
from proxy.wire.parameters import LoadRequest, parse_flag, parse_load_request, shows_all_versions, wants_json
from proxy.wire.request import parse_query

GOOD = "dataSourceName=Shops&loadOperation=complete&input=xml"


def asked(query: str) -> LoadRequest:
    return parse_load_request(parse_query(query.encode()))


def mistake(query: str) -> ErrorCode:
    with pytest.raises(ApiError) as caught:
        asked(query)
    return caught.value.code


def test_a_load_needs_a_name_an_operation_and_a_form() -> None:
    assert asked(GOOD) == LoadRequest(
        name="Shops",
        operation="complete",
        job_type=JobType.COMPLETE,
        input="xml",
        public=None,
        access_id=None,
        description=None,
        location=None,
    )


def test_a_load_may_say_more() -> None:
    more = asked(
        GOOD + "&setPublic=1&accessId=aB&description=My%20shops&dataLocation=https%3A%2F%2Fa%2Fb%3Fsig%3Dc%252F"
    )
    assert (more.public, more.access_id, more.description) == (True, "aB", "My shops")
    assert more.location == "https://a/b?sig=c%2F"


def test_the_first_value_counts_in_any_letter_case() -> None:
    query = "DATASOURCENAME=Shops&datasourcename=b&LoadOperation=INCREMENTALSTAGING&Input=XML&input=csv&setpublic=False"
    found = asked(query)
    assert (found.name, found.operation, found.input) == ("Shops", "incrementalStaging", "xml")
    assert found.job_type is JobType.INCREMENTAL_STAGING


@pytest.mark.parametrize(
    ("operation", "job_type"),
    [
        ("complete", JobType.COMPLETE),
        ("completeStaging", JobType.COMPLETE_STAGING),
        ("incremental", JobType.INCREMENTAL),
        ("incrementalStaging", JobType.INCREMENTAL_STAGING),
    ],
)
def test_each_operation_is_a_job_type(operation: str, job_type: JobType) -> None:
    found = asked(f"dataSourceName=a&loadOperation={operation.lower()}&input=csv")
    assert (found.operation, found.job_type) == (operation, job_type)


def test_a_staging_load_checks_and_ignores_set_public() -> None:
    staging = GOOD.replace("complete", "completeStaging")
    assert asked(staging + "&setPublic=1").public is None
    assert asked(staging + "&setPublic=0").public is None
    assert mistake(staging + "&setPublic=yes") is ErrorCode.BAD_SET_PUBLIC


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", ErrorCode.BAD_NAME_PARAMETER),
        (GOOD.replace("Shops", "my.shops"), ErrorCode.BAD_NAME_PARAMETER),
        (GOOD.replace("Shops", "a" * 51), ErrorCode.BAD_NAME_PARAMETER),
        (GOOD.replace("complete", ""), ErrorCode.BAD_LOAD_OPERATION),
        (GOOD.replace("complete", "replace"), ErrorCode.BAD_LOAD_OPERATION),
        ("dataSourceName=a&input=xml", ErrorCode.BAD_LOAD_OPERATION),
        (GOOD.replace("xml", "json"), ErrorCode.BAD_INPUT),
        ("dataSourceName=a&loadOperation=complete", ErrorCode.BAD_INPUT),
        (GOOD + "&setPublic=2", ErrorCode.BAD_SET_PUBLIC),
        (GOOD + "&description=" + "x" * 2049, ErrorCode.BAD_DESCRIPTION),
    ],
)
def test_a_load_with_a_wrong_parameter_is_refused(query: str, code: ErrorCode) -> None:
    assert mistake(query) is code


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", True), ("true", True), ("TRUE", True), ("0", False), ("False", False), ("", None), (None, None)],
)
def test_a_flag_is_true_false_or_absent(text: str | None, value: bool | None) -> None:  # noqa: FBT001 - a table's column
    given = {} if text is None else {"isstaging": text}
    assert parse_flag(given, "isstaging", ErrorCode.BAD_IS_STAGING) is value


@pytest.mark.parametrize("text", ["2", "yes", " 1", "01", "\u0661"])
def test_any_other_flag_is_refused(text: str) -> None:
    with pytest.raises(ApiError):
        parse_flag({"isstaging": text}, "isstaging", ErrorCode.BAD_IS_STAGING)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("1", True),
        ("3", True),
        ("10", True),
        ("0", False),
        ("00", False),
        ("false", False),
        ("", False),
    ],
)
def test_all_versions_are_shown_for_true_or_a_number(text: str, value: bool) -> None:  # noqa: FBT001 - a table's column
    assert shows_all_versions({"showallversions": text}) is value


def test_all_versions_are_not_shown_for_other_words() -> None:
    with pytest.raises(ApiError):
        shows_all_versions({"showallversions": "all"})


def test_the_format_is_atom_or_json() -> None:
    assert [wants_json({"$format": text}) for text in ("", "Atom", "JSON")] == [False, False, True]
    assert not wants_json({})
    with pytest.raises(ApiError):
        wants_json({"$format": "xml"})
