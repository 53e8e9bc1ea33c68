"""The query form of a data source: the request, and what the API answers to it."""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from proxy.console.area_form import PARAMETER, AreaForm
from proxy.console.context import console_of
from proxy.console.cut_texts import find_cut
from proxy.console.paths import SOURCE
from proxy.console.rendering import render
from proxy.console.routing import page
from proxy.console.source_context import SourcePage, source_of
from proxy.operations.entity_answers import ApiAnswer, answer_query, choose_version, curl_command
from proxy.operations.errors import OperationError
from proxy.query.response_form import ResponseFormat

MOST_BYTES = 100_000
"""Of an answer that a page shows."""
_HTML_BYTES = 120_000
"""Of the same with its marks escaped."""
_LONGEST_REQUEST = 8_000

FIELDS = ("$filter", "$select", "$orderby", "$top", "$skip")


@dataclass(frozen=True, slots=True)
class ShownAnswer:
    """An answer as the page has it.

    Args:
        text: the begin of it, indented where it is JSON.
        is_cut: whether there is more.
        size: bytes of the whole, as it is sent.
        content_type: its header.
        milliseconds: what it took.
    """

    text: str
    is_cut: bool
    size: int
    content_type: str
    milliseconds: float


async def show_query(request: Request) -> Response:
    """The form; once it was sent, the request and its answer."""
    console, shown = console_of(request), await source_of(request)
    given = request.query_params
    form = AreaForm.read(given)
    fields = {name: given.get(name, "").strip() for name in FIELDS}
    is_staging, format_ = bool(given.get("isStaging")), given.get("$format", "json")
    parameters = {
        PARAMETER: form.spatial_filter,
        **fields,
        "isStaging": "true" if is_staging else "",
        "$format": format_,
    }
    parameters = {name: value for name, value in parameters.items() if value}
    is_sent = "$format" in given
    answer, problem, curl = None, "", ""
    try:
        version = choose_version(shown.view, {name.lower(): value for name, value in parameters.items()})
        curl = curl_command(shown.view, version.entity_type, parameters, console.settings)
        if is_sent:
            answer = await _ask(request, shown, parameters)
    except OperationError as error:
        problem = str(error)
    return render(
        request,
        "source_query.html",
        shown=shown,
        form=form,
        fields=fields,
        is_staging=is_staging,
        format=format_,
        formats=tuple(ResponseFormat),
        curl=curl[: find_cut(curl, _LONGEST_REQUEST)],
        is_curl_cut=find_cut(curl, _LONGEST_REQUEST) < len(curl),
        has_url=bool(console.settings.public_url),
        answer=answer,
        problem=problem if is_sent else "",
        map_url=shown.url("map", form.parameters),
    )


async def _ask(request: Request, shown: SourcePage, parameters: Mapping[str, str]) -> ShownAnswer:
    console, started = console_of(request), time.perf_counter()
    lowered = {name.lower(): value for name, value in parameters.items()}
    found = await answer_query(console.queries, shown.account, shown.view, lowered, console.settings)
    took = (time.perf_counter() - started) * 1000
    text, is_cut = await asyncio.to_thread(_show, found)  # of an answer of any size
    return ShownAnswer(text, is_cut, len(found.content), found.content_type, took)


def _show(answer: ApiAnswer) -> tuple[str, bool]:
    """The begin of the body as a page shows it, and whether there is more."""
    text = _indent(answer)
    begin = text.encode()[:MOST_BYTES].decode(errors="ignore")
    begin = begin[: find_cut(begin, _HTML_BYTES)]
    return begin, len(begin) < len(text)


def _indent(answer: ApiAnswer) -> str:
    """The body as people read it: JSON indented, in the characters that it stands for."""
    if answer.content_type.startswith("application/json"):
        return json.dumps(json.loads(answer.content), indent=2, ensure_ascii=False)
    return answer.content.decode()


ROUTES = (page(f"{SOURCE}/query", show_query),)
