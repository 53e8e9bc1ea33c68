"""What rules of queries share: which answers they judge, and the reason to skip them where none is served."""

from collections.abc import Callable, Iterable, Iterator

from proxy.conformance.exchange import Purpose
from proxy.conformance.parsed_query import ParsedAnswer, wants_atom
from proxy.conformance.recording import Recording
from proxy.conformance.rule import NOT_SHOWN, Check, Observation, Skip, rule
from proxy.conformance.rules.checks import NOT_FOUND, OK, Verdict, items, whole

P = Purpose
FORMS = (P.FIND_ALL, P.FIND_ONE, P.FIND_NEAR, P.FIND_IN_BOX, P.FIND_EQUAL, P.FIND_SELECTED, P.FIND_ORDERED, P.FIND_NEXT)
Judge = Callable[[ParsedAnswer], Verdict]


def why_unserved(recording: Recording) -> str:
    """Why no rule of queries can be checked; empty if one can."""
    tried = list(recording.of(P.FIND_FIRST))
    if any(each.status != NOT_FOUND for each in tried):
        return ""
    if tried:
        return f"the endpoint serves no queries: each is {tried[0].status_line}"
    listed = next(recording.of(P.SOURCES), None)
    if listed is None or listed.status != OK:
        return f"the data sources are not listed: {listed.status_line if listed else 'no answer'}"
    return "no published data source is listed"


def if_served(check: Check) -> Check:
    """The check, skipped with the reason where the endpoint serves no queries."""

    def checked(recording: Recording) -> Iterable[Observation | Skip]:
        reason = why_unserved(recording)
        return [Skip(reason)] if reason else check(recording)

    return checked


def add(id_: str, title: str, check: Check, needs: str = NOT_SHOWN) -> None:
    """Registers a rule of queries that a ready-made check expresses."""
    rule(id_, title, whole, needs)(if_served(check))


def answers(*purposes: Purpose) -> Callable[[Judge, str], Check]:
    """The function gets each answer of these purposes, which must be entities in the requested format."""

    def make_check(judge: Judge, title: str) -> Check:
        def check(recording: Recording) -> Iterator[Observation | Skip]:
            for exchange in recording.of(*purposes):
                answer = recording.answer_of(exchange)
                if answer is None:
                    form = "Atom" if wants_atom(exchange) else "JSON"
                    wrong = "the status should be 200" if exchange.status != OK else f"it should be entities in {form}"
                    yield Observation(exchange, exchange.show("content-type"), wrong)
            yield from judged(recording)

        judged = forms(*purposes)(judge, title)
        return if_served(check)

    return make_check


def forms(*purposes: Purpose, atom: bool | None = None) -> Callable[[Judge, str], Check]:
    """The function gets each answer that has entities, of one format or of both."""

    def find(recording: Recording) -> Iterator[ParsedAnswer]:
        for exchange in recording.of(*(purposes or FORMS)):
            answer = recording.answer_of(exchange) if atom in {None, wants_atom(exchange)} else None
            if answer is not None:
                yield answer

    return lambda judge, title: if_served(items(find)(judge, title))


def content_type_is(media_type: str) -> Judge:
    """Whether the content type is this one, in UTF-8."""

    def judge(answer: ParsedAnswer) -> bool:
        found = answer.exchange.header("content-type") or ""
        return found.replace(" ", "").lower() == f"{media_type};charset=utf-8"

    return judge
