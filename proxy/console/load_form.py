"""The form of a load: its fields, and what they ask for."""

from collections.abc import Mapping
from datetime import UTC, datetime

from starlette.datastructures import FormData

from proxy.console.context import Console
from proxy.keyring.keyring import DIGEST_PREFIX, ExpiredKeyError, KeyRing, UnknownKeyError, hash_key
from proxy.operations.errors import OperationError
from proxy.operations.file_loads import NOT_LOADED
from proxy.operations.refusals import translated_refusals
from proxy.wire.parameters import LoadRequest, parse_load_request
from proxy.wire.request import QueryParameters

# Each with the words for the operator.
INPUTS: Mapping[str, str] = {
    "csv": "CSV (commas)",
    "tab": "Text with tabs",
    "pipe": "Text with bars |",
    "xml": "XML",
    "kml": "KML or KMZ",
    "shp": "Shapefile (ZIP)",
}
OPERATIONS: Mapping[str, str] = {
    "complete": "Replace all entities",
    "incremental": "Update: add, change and delete entities",
    "completeStaging": "Replace all entities in a staged version",
    "incrementalStaging": "Update in a staged version",
}
ACCESS: Mapping[str, str] = {"": "As it is; private where it is new", "true": "Public", "false": "Private"}

# Parameters of the request, by their names in lower case.
PARAMETERS = ("datasourcename", "loadoperation", "input", "setpublic", "accessid", "description")

BAD_ACCOUNT = "The key ring has no account of this name."
BAD_QUERY_KEY = "The query key is not a key of the account."


def values_of(given: Mapping[str, object]) -> dict[str, str]:
    """The texts of the fields, without the query key, so that the form can be shown again with them."""
    return {name: str(given.get(name) or "") for name in ("account", *PARAMETERS)}


def parse_form(console: Console, form: FormData) -> tuple[str, LoadRequest, str | None]:
    """The account, the request that the form stands for, and the digest of the query key.

    Raises:
        OperationError: a field is missing, or its value is not allowed.
    """
    values = values_of(form)
    account = values.pop("account")
    if account not in console.accounts.names:
        raise OperationError(BAD_ACCOUNT)
    parameters = {name: text.strip() for name, text in values.items()}
    with translated_refusals(NOT_LOADED):
        request = parse_load_request(QueryParameters(key=None, output="", parameters=parameters))
    key = str(form.get("querykey") or "").strip()
    return account, request, _find_key(console.ring.keyring, account, key) if key else None


def _find_key(keyring: KeyRing, account: str, key: str) -> str:
    """The digest, as rows have it, of a key of the account."""
    digest = hash_key(key.encode("utf-8", "replace"))
    try:
        grant = keyring.get_grant(digest, datetime.now(UTC))
    except (UnknownKeyError, ExpiredKeyError):
        raise OperationError(BAD_QUERY_KEY) from None
    if grant.account != account:
        raise OperationError(BAD_QUERY_KEY)
    return DIGEST_PREFIX + digest.hex()
