"""The form of an answer: `$format`, `jsonp` and `jsonso` (query-api.md, 1.4 and 2.3)."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from proxy.query.errors import QueryError, quote_value

SCRIPT_CONTENT = "text/javascript; charset=utf-8"

_CALLBACK = re.compile(r"[A-Za-z0-9_$.\[\]]{1,128}")


class ResponseFormat(StrEnum):
    """The formats of an answer."""

    ATOM = "atom"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Callback:
    """A function of the caller's page that gets the JSON, and the text that it gets beside."""

    name: str
    state: str | None = None

    def wrap(self, content: bytes) -> bytes:
        """The call of the function, without a semicolon: clients cut off the name and the last character."""
        state = b"" if self.state is None else b"," + json.dumps(self.state).replace("/", "\\/").encode()
        return b"%b(%b%b)" % (self.name.encode(), content, state)


@dataclass(frozen=True, slots=True)
class ResponseForm:
    """Format and callback; a callback only with JSON."""

    format: ResponseFormat = ResponseFormat.ATOM
    callback: Callback | None = None

    @property
    def content_type(self) -> str:
        """The Content-Type of the answer."""
        if self.callback is not None:
            return SCRIPT_CONTENT
        return f"application/{'json' if self.format is ResponseFormat.JSON else 'atom+xml'}; charset=utf-8"


def parse_response_form(parameters: Mapping[str, str]) -> ResponseForm:
    """The form of a request's answer. `parameters` holds those that are not empty, by their names in lower case.

    Raises:
        QueryError: `$format` names no format, or `jsonp` is no function's name, and the text does not repeat it.
    """
    text = _format_text(parameters)
    if text and text not in set(ResponseFormat):
        raise QueryError(f"The parameter $format has {quote_value(text)}. Allowed: {', '.join(ResponseFormat)}.")
    if text == ResponseFormat.ATOM or not (text or "jsonp" in parameters):
        return ResponseForm()
    callback = find_callback(parameters)
    if callback is None and "jsonp" in parameters:
        raise QueryError(
            "The parameter jsonp is no name of a function. Allowed are 1 to 128 letters, digits and _$.[]."
        )
    return ResponseForm(ResponseFormat.JSON, callback)


def find_callback(parameters: Mapping[str, str]) -> Callback | None:
    """The callback to wrap an answer or an error in, whatever else is wrong; None where there is no valid one."""
    name = parameters.get("jsonp", "")
    if _format_text(parameters) == ResponseFormat.ATOM or not _CALLBACK.fullmatch(name):
        return None
    return Callback(name, parameters.get("jsonso"))


def _format_text(parameters: Mapping[str, str]) -> str:
    return (parameters.get("$format") or parameters.get("format", "")).strip().lower()
