"""What the API answers to a query, to the byte, without asking it; and the request that asks for it."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote
from uuid import uuid4

from adapters.account import AccountStorage
from adapters.model.data_sources import DataSourceVersion
from proxy.operations.entity_queries import EntityQueries, bind_query, end_after
from proxy.operations.errors import OperationError
from proxy.operations.source_views import SourceView, VersionState
from proxy.query.answer import Answer
from proxy.query.engine import run_query
from proxy.query.render import render
from proxy.query.response_form import parse_response_form
from proxy.query.version_file import VersionFile
from proxy.settings import Settings
from proxy.wire.envelope import Branding

YOUR_KEY = "YOUR_KEY"
"""The place of the key in a request."""

QUERY_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class ApiAnswer:
    """The body of an answer with status 200."""

    content: bytes
    content_type: str


async def answer_query(
    queries: EntityQueries, account: AccountStorage, view: SourceView, parameters: Mapping[str, str], settings: Settings
) -> ApiAnswer:
    """The answer of the API to a key that may query the data source.

    Args:
        queries: runs it.
        account: of the data source.
        view: the data source.
        parameters: those of the request, by their names in lower case.
        settings: those with the public URL and the copyright notice.

    Raises:
        OperationError: a parameter is wrong, or names a place that a map service would look up.
        StorageError: storage can't answer.
    """
    version = choose_version(view, parameters)
    opened = await queries.open_version(account, view.source, version)

    def work(file: VersionFile) -> ApiAnswer:
        query = bind_query(opened, parameters)
        result = run_query(file, query, end_after(QUERY_SECONDS))
        answer = Answer(
            base=settings.public_url,
            access_id=view.source.access_id,
            data_source=view.source.name,
            entity_type=version.entity_type,
            copyright=Branding(settings.query_copyright).format_copyright(datetime.now(UTC).year),
            now=account.clock.now(),
            guid=str(uuid4()),
        )
        form = parse_response_form(parameters)
        return ApiAnswer(render(result, answer, form), form.content_type)

    return await queries.use(opened, work)


def choose_version(view: SourceView, parameters: Mapping[str, str]) -> DataSourceVersion:
    """The version that a request is for.

    Raises:
        OperationError: there is none.
    """
    is_staging = parameters.get("isstaging", "").strip().lower() in {"1", "true"}
    state = VersionState.STAGED if is_staging else VersionState.PUBLISHED
    version = view.of(state)
    if version is None:
        raise OperationError(f"The data source {view.source.name} has no {state} version.")
    return version


def curl_command(view: SourceView, entity_type: str, parameters: Mapping[str, str], settings: Settings) -> str:
    """The request as a command for a shell. `parameters` are named as the contract spells them."""
    path = "/".join(
        quote(each, safe="", errors="replace") for each in (view.source.access_id, view.source.name, entity_type)
    )
    data = [f"{name}={value}" for name, value in {**parameters, "key": YOUR_KEY}.items()]
    lines = [
        f"curl --get {shlex.quote(f'{settings.public_url}/REST/v1/data/{path}')}",
        *(f"  --data-urlencode {shlex.quote(each)}" for each in data),
    ]
    return " \\\n".join(lines)
