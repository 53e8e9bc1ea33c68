"""The error catalogue says what wire-contract.md, section 5, demands."""

from dataclasses import replace

import pytest

from proxy.wire.errors import ApiError, ErrorCode

CATALOGUE = {
    ErrorCode.NO_KEY: (401, "NoCredentials"),
    ErrorCode.UNKNOWN_KEY: (401, "InvalidCredentials"),
    ErrorCode.REVOKED_KEY: (401, "InvalidCredentials"),
    ErrorCode.TOO_MANY_KEYS: (503, "None"),
    ErrorCode.EXPIRED_KEY: (401, "CredentialsExpired"),
    ErrorCode.MASTER_KEY_NEEDED: (401, "NotAuthorized"),
    ErrorCode.OTHER_DATA_SOURCE: (401, "NotAuthorized"),
    ErrorCode.QUERY_KEY_NEEDED: (401, "NotAuthorized"),
    ErrorCode.BAD_OUTPUT: (400, "ValidCredentials"),
    ErrorCode.BAD_DATA_SOURCE_NAME: (400, "ValidCredentials"),
    ErrorCode.BAD_NAME_PARAMETER: (400, "ValidCredentials"),
    ErrorCode.BAD_LOAD_OPERATION: (400, "ValidCredentials"),
    ErrorCode.BAD_INPUT: (400, "ValidCredentials"),
    ErrorCode.BAD_GEOCODE_INPUT: (400, "ValidCredentials"),
    ErrorCode.BAD_SET_PUBLIC: (400, "ValidCredentials"),
    ErrorCode.BAD_IS_STAGING: (400, "ValidCredentials"),
    ErrorCode.BAD_SHOW_ALL_VERSIONS: (400, "ValidCredentials"),
    ErrorCode.BAD_FORMAT: (400, "ValidCredentials"),
    ErrorCode.BAD_DESCRIPTION: (400, "ValidCredentials"),
    ErrorCode.BAD_QUERY_KEY: (400, "ValidCredentials"),
    ErrorCode.BAD_DATA_LOCATION: (400, "ValidCredentials"),
    ErrorCode.BODY_AND_LOCATION: (400, "ValidCredentials"),
    ErrorCode.NO_DATA: (400, "ValidCredentials"),
    ErrorCode.BODY_TOO_LARGE: (400, "ValidCredentials"),
    ErrorCode.BODY_INCOMPLETE: (400, "ValidCredentials"),
    ErrorCode.BODY_TOO_SLOW: (400, "ValidCredentials"),
    ErrorCode.BEING_DELETED: (400, "ValidCredentials"),
    ErrorCode.BAD_QUERY: (400, "ValidCredentials"),
    ErrorCode.REJECTED: (400, "ValidCredentials"),
    ErrorCode.NO_SUCH_PATH: (404, "None"),
    ErrorCode.NOT_SERVED: (404, "ValidCredentials"),
    ErrorCode.NO_MAPS: (501, "ValidCredentials"),
    ErrorCode.NO_SUCH_JOB: (404, "ValidCredentials"),
    ErrorCode.NO_SUCH_OUTPUT: (404, "ValidCredentials"),
    ErrorCode.NO_SUCH_DATA_SOURCE: (404, "ValidCredentials"),
    ErrorCode.NO_SUCH_VERSION: (404, "ValidCredentials"),
    ErrorCode.NO_SUCH_ENTITY_TYPE: (404, "ValidCredentials"),
    ErrorCode.NO_SUCH_ENTITY: (404, "ValidCredentials"),
    ErrorCode.TOO_MANY_DATA_SOURCES: (403, "ValidCredentials"),
    ErrorCode.TOO_MANY_ACTIVE_JOBS: (503, "ValidCredentials"),
    ErrorCode.TOO_MANY_JOBS_TODAY: (503, "ValidCredentials"),
    ErrorCode.WRONG_METHOD: (405, "None"),
    ErrorCode.CORRUPT_RECORD: (500, "ValidCredentials"),
    ErrorCode.INTERNAL_ERROR: (500, "None"),
    ErrorCode.QUERY_TOO_LONG: (503, "ValidCredentials"),
    ErrorCode.QUERY_UNAVAILABLE: (503, "ValidCredentials"),
    ErrorCode.MAPS_UNAVAILABLE: (503, "ValidCredentials"),
    ErrorCode.STORAGE_UNAVAILABLE: (503, "ValidCredentials"),
    ErrorCode.KEY_STORE_UNAVAILABLE: (503, "ValidCredentials"),
    ErrorCode.UNREADABLE_KEY: (503, "ValidCredentials"),
}


@pytest.mark.parametrize("code", ErrorCode, ids=lambda code: str(code.name))
def test_an_error_has_its_status_its_code_and_a_text(code: ErrorCode) -> None:
    assert (code.value.status, code.value.authentication) == CATALOGUE[code]
    assert code.value.text.strip()


def test_a_malformed_parameter_is_named_with_what_is_allowed() -> None:
    assert "output" in ErrorCode.BAD_OUTPUT.value.text
    assert "json, xml" in ErrorCode.BAD_OUTPUT.value.text
    assert "50" in ErrorCode.BAD_DATA_SOURCE_NAME.value.text
    assert all(character in ErrorCode.BAD_DATA_SOURCE_NAME.value.text for character in "~`!$^_={}-")


def test_an_error_has_its_entry_and_allowed_methods() -> None:
    error = ApiError(ErrorCode.WRONG_METHOD, ("GET", "HEAD"))
    assert (error.code, error.allow, str(error)) == (ErrorCode.WRONG_METHOD, ("GET", "HEAD"), "WRONG_METHOD")


def test_a_text_without_values_may_hold_braces() -> None:
    quota = ErrorCode.TOO_MANY_ACTIVE_JOBS.value
    assert quota.format_text({"limit": 7}) == "JobUsageQuota: Account already has 7 'Pending' jobs."
    name = ErrorCode.BAD_DATA_SOURCE_NAME.value
    assert name.format_text({}) == name.text


def test_a_revoked_key_is_as_unknown_as_one_that_never_existed() -> None:
    unknown, revoked = ErrorCode.UNKNOWN_KEY.value, ErrorCode.REVOKED_KEY.value
    assert revoked == replace(unknown, reason="revoked")
    assert not unknown.reason


@pytest.mark.parametrize("code", [ErrorCode.KEY_STORE_UNAVAILABLE, ErrorCode.UNREADABLE_KEY])
def test_a_key_that_cannot_be_checked_is_not_said_to_exist(code: ErrorCode) -> None:
    assert "can't be checked" in code.value.text
    assert code.value.retry_after > 0
