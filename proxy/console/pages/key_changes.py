"""The pages that add and revoke keys. A generated key is shown once, in the answer to the form, and nowhere else."""

from contextlib import suppress
from datetime import UTC, datetime
from urllib.parse import urlencode

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from adapters.model.key_records import ROLES, FoundKey
from proxy.console.context import choose_account_name
from proxy.console.errors import PageNotFoundError
from proxy.console.key_access import open_editor, require_editable_place
from proxy.console.rendering import redirect, render
from proxy.console.routing import change, page
from proxy.operations.errors import OperationError
from proxy.operations.keys.errors import NewKeyError
from proxy.operations.keys.holder import KeyHolder
from proxy.operations.keys.lines import describe_grant, shown
from proxy.operations.keys.new_key import NewKey, check_new_key, generate_key, make_record
from proxy.operations.keys.patterns import split_patterns
from proxy.operations.keys.search import parse_prefix

FIELDS = ("account", "name", "role", "data_sources", "expires", "kind")
"""The fields of the form that it shows again with an error: all but the key."""

OWN = "own"

NO_NAME = "is missing; a name tells in lists and logs which program has the key"
NO_KEY = "The account has no such key."

IN_STORE = "Requests with it are refused within seconds. Its row stays: the command “keys reinstate” restores it."
IN_FILE = (
    "This removes it from the key ring file, and requests with it are refused within seconds. The file holds no trace"
    " of it: to restore it, add the same key again."
)


async def show_form(request: Request) -> Response:
    """The form of a new key."""
    await require_editable_place(request)
    return _render_form(request, {"account": choose_account_name(request)})


async def add(request: Request, form: FormData) -> Response:
    """Adds the key of the form, and shows it where it was generated."""
    place = await require_editable_place(request)
    given = {name: str(form.get(name, "")).strip() for name in FIELDS}
    is_own = given["kind"] == OWN
    key = str(form.get("key", "")).strip() if is_own else generate_key()
    again = {name: value for name, value in given.items() if value != key}
    try:
        record = make_record(key, check_new_key(_new_key(given), place.accounts))
    except NewKeyError as error:
        return _render_form(request, again, str(error), status=400)
    stored: list[str] = []
    warning = None
    try:
        async with open_editor(request, place) as (_, editor):
            await editor.add(record, None, stored.append)
    except OperationError as error:
        if not stored:
            return _render_form(request, again, str(error), status=409)
        warning = str(error)
    return render(
        request,
        "key_added.html",
        account=record.account,
        key=None if is_own else key,
        digest=shown(record.digest),
        name=record.name,
        warning=warning,
    )


async def confirm_revoking(request: Request) -> Response:
    """Asks before a key is revoked."""
    place = await require_editable_place(request)
    async with place.open(changes=False) as keys:
        found = await _find(request, keys)
    account, record = choose_account_name(request), found.record
    grant = [] if record is None else list(filter(None, describe_grant(record)))
    return render(
        request,
        "confirm.html",
        title="Revoke a key",
        question=IN_STORE if place.is_store else IN_FILE,
        details=[
            ("Key", shown(found.digest)),
            ("Name", (record and record.name) or "none"),
            ("Account", account),
            ("Role and data sources", ", ".join(grant)),
        ],
        action=request.url.path,
        fields={},
        word=None,
        button="Revoke the key",
        is_danger=True,
        back=_keys_url(account),
    )


async def revoke(request: Request, _form: FormData) -> Response:
    """Revokes the key."""
    place = await require_editable_place(request)
    async with open_editor(request, place) as (keys, editor):
        await editor.revoke(await _find(request, keys))
    return redirect(_keys_url(choose_account_name(request)), "key-revoked")


def _new_key(given: dict[str, str]) -> NewKey:
    if not given["name"]:  # the form sent twice would add a second key, which only the name prevents
        raise NewKeyError("name", NO_NAME)
    patterns = tuple(split_patterns(given["data_sources"])) if given["data_sources"] else None
    return NewKey(given["account"], given["role"], given["name"], _utc(given["expires"]) or None, patterns)


def _utc(text: str) -> str:
    """A time as the form has it, without a time zone, as one in UTC; any other text as it is."""
    with suppress(ValueError):
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()
    return text


async def _find(request: Request, keys: KeyHolder) -> FoundKey:
    """The key of the account that the path names.

    Raises:
        PageNotFoundError: there is none, or it is another account's.
    """
    account, prefix = choose_account_name(request), parse_prefix(request.path_params["digest"])
    found = [] if prefix is None else await keys.find(prefix)
    own = [each for each in found if each.record is None or each.record.account == account]
    if len(own) != 1:
        raise PageNotFoundError(NO_KEY)
    return own[0]


def _render_form(request: Request, given: dict[str, str], error: str | None = None, *, status: int = 200) -> Response:
    values = dict.fromkeys(FIELDS, "") | given
    return render(request, "key_form.html", status=status, values=values, roles=ROLES, own=OWN, error=error)


def _keys_url(account: str) -> str:
    return f"/keys?{urlencode({'account': account})}"


ADD_PATH = "/keys/add"
REVOKE_PATH = "/accounts/{account}/keys/{digest}/revoke"

ROUTES = (
    page(ADD_PATH, show_form),
    change(ADD_PATH, add),
    page(REVOKE_PATH, confirm_revoking),
    change(REVOKE_PATH, revoke),
)
