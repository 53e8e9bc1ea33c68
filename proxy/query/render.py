"""Renders a page in the form that a request asks for (query-api.md, 2)."""

from proxy.query.answer import Answer
from proxy.query.atom_answer import render_atom
from proxy.query.json_answer import render_json
from proxy.query.response_form import ResponseForm, ResponseFormat
from proxy.query.result import Result


def render(result: Result, answer: Answer, form: ResponseForm) -> bytes:
    """The body of an answer."""
    if form.format is ResponseFormat.ATOM:
        return render_atom(result, answer)
    content = render_json(result, answer)
    return content if form.callback is None else form.callback.wrap(content)
