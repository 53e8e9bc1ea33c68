"""Changes of a data source: each asks first, then creates the job that makes it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from adapters.model.jobs import JobRecord
from proxy.console.context import console_of, session_of
from proxy.console.errors import RequestRefusedError
from proxy.console.paths import SOURCE, job_path
from proxy.console.rendering import redirect, render
from proxy.console.routing import Apply, Show, change, page
from proxy.console.source_context import VERSION, SourcePage, source_of
from proxy.operations.errors import OperationError
from proxy.operations.source_changes import SourceChanges
from proxy.operations.source_views import VersionState, VersionView

WRONG_WORD = "The typed name is not the data source's name, so nothing is deleted. Go back and type it again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a page asks before a change.

    Args:
        verb: the button, and with the data source's name the title.
        text: the consequence.
        details: names and values.
        fields: what the form carries.
        must_type: whether the name has to be typed.
    """

    verb: str
    text: str
    details: Sequence[tuple[str, str]] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    must_type: bool = False


def _ask_publish(shown: SourcePage) -> Question:
    staged = _require(shown, VersionState.STAGED)
    text = "The staged version replaces the published one. Queries use it from then on."
    return Question(verb="Publish", text=text, details=_describe(shown, staged))


def _ask_roll_back(shown: SourcePage) -> Question:
    version = shown.chosen
    if version is None or version.state is not VersionState.EARLIER:
        raise OperationError("Only an earlier version can be rolled back to. The page of the data source lists them.")
    text = "The earlier version is published again, and the published one becomes the first of the earlier ones."
    fields = {VERSION: version.version.job_id}
    return Question(verb="Roll back", text=text, details=_describe(shown, version), fields=fields)


def _ask_access(shown: SourcePage) -> Question:
    if shown.view.source.is_public:
        text = "Then only its query key and master keys may query it; without a query key, every key of the account."
        return Question(verb="Make private", text=text, fields={"public": "false"})
    text = "Then every key of the account that may use this data source may query it."
    return Question(verb="Make public", text=text, fields={"public": "true"})


def _ask_delete(shown: SourcePage) -> Question:
    details = [(f"{each.state.capitalize()} version", _summary(each)) for each in shown.view.versions]
    text = "This deletes all its versions. Nothing can restore them."
    return Question(verb="Delete", text=text, details=details, must_type=True)


def _ask_delete_staged(shown: SourcePage) -> Question:
    details = [("Staged version", _summary(_require(shown, VersionState.STAGED)))]
    text = "This deletes the staged version. The published and the earlier versions stay."
    return Question(verb="Delete the staged version of", text=text, details=details, must_type=True)


async def publish(request: Request, _form: FormData) -> Response:
    """Publishes the staged version."""
    shown = await source_of(request)
    return _follow(shown, await _changes(request, shown).publish(shown.name), "published")


async def roll_back(request: Request, form: FormData) -> Response:
    """Rolls back to the version of the form."""
    shown = await source_of(request)
    version = str(form.get(VERSION, ""))
    return _follow(shown, await _changes(request, shown).roll_back(shown.name, version), "rolled-back")


async def set_access(request: Request, form: FormData) -> Response:
    """Makes the data source public or private, as the form says."""
    shown = await source_of(request)
    word = str(form.get("public", ""))
    if word not in {"true", "false"}:
        raise RequestRefusedError("The form does not say whether the data source becomes public. Open its page again.")
    return _follow(shown, await _changes(request, shown).set_public(shown.name, public=word == "true"), "access-set")


async def delete(request: Request, form: FormData) -> Response:
    """Deletes the data source."""
    return await _delete(request, form, staging=False)


async def delete_staged(request: Request, form: FormData) -> Response:
    """Deletes the staged version."""
    return await _delete(request, form, staging=True)


async def _delete(request: Request, form: FormData, *, staging: bool) -> Response:
    shown = await source_of(request)
    if str(form.get("word", "")).strip() != shown.name:
        raise OperationError(WRONG_WORD)
    return _follow(shown, await _changes(request, shown).delete(shown.name, staging=staging), "deleted")


def _changes(request: Request, shown: SourcePage) -> SourceChanges:
    return SourceChanges(shown.account, console_of(request).settings, session_of(request).user)


def _follow(shown: SourcePage, job: JobRecord, notice: str) -> Response:
    return redirect(job_path(shown.account.name, job.row_key), notice)


def _require(shown: SourcePage, state: VersionState) -> VersionView:
    found = next((each for each in shown.view.versions if each.state is state), None)
    if found is None:
        raise OperationError(f"The data source {shown.name} has no {state} version, or not any more.")
    return found


def _describe(shown: SourcePage, version: VersionView) -> list[tuple[str, str]]:
    published = next((each for each in shown.view.versions if each.state is VersionState.PUBLISHED), None)
    before = "not published" if published is None else _summary(published)
    return [("Published now", before), ("Published then", _summary(version))]


def _summary(each: VersionView) -> str:
    return f"{each.version.entities:,} entities, job {each.version.job_id}"


_CHANGES: Mapping[str, tuple[Callable[[SourcePage], Question], Apply]] = {
    "publish": (_ask_publish, publish),
    "roll-back": (_ask_roll_back, roll_back),
    "access": (_ask_access, set_access),
    "delete": (_ask_delete, delete),
    "delete-staged": (_ask_delete_staged, delete_staged),
}


def _asking(part: str, ask: Callable[[SourcePage], Question]) -> Show:
    """The page that asks before a change. Its form goes to the same path."""

    async def show(request: Request) -> Response:
        shown = await source_of(request)
        question = ask(shown)
        return render(
            request,
            "confirm.html",
            title=f"{question.verb} {shown.name}",
            question=question.text,
            details=[("Account", shown.account.name), *question.details],
            action=shown.url(part, {VERSION: ""}),
            fields=question.fields,
            word=shown.name if question.must_type else None,
            button="Delete" if question.must_type else question.verb,
            back=shown.url("", {VERSION: ""}),
        )

    return show


ROUTES = tuple(
    route
    for part, (ask, apply) in _CHANGES.items()
    for route in (page(f"{SOURCE}/{part}", _asking(part, ask)), change(f"{SOURCE}/{part}", apply))
)
