"""Section 4: output links, and what clients do with them."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from urllib.parse import unquote

from proxy.conformance import contract
from proxy.conformance.exchange import Exchange, Purpose
from proxy.conformance.parsed import ParsedLink
from proxy.conformance.recording import Recording
from proxy.conformance.rule import Check, Observation, Skip, rule
from proxy.conformance.rules.checks import FOUND, JOBS, OK, Verdict, add, exchanges, items, links

P = Purpose
NOT_SIGNED = "no output link is signed: none is there, or the endpoint keeps them on itself"
NOT_KEPT = "no output link leads to the endpoint: none is there, or they are signed"
MAX_LIFETIME = timedelta(days=8)
CLOCK_SKEW = timedelta(minutes=1)
PARTIAL, UNAUTHORIZED, NOT_FOUND = 206, 401, 404

# Parameters that storage interprets: the fragment must not follow one of them.
_RESERVED = frozenset(
    contract.names(
        "sv sr st se sp spr sip sig ss srt si ses saoid suoid scid sdd skoid sktid skt ske sks skv skdutid sduoid"
        " rscc rscd rsce rscl rsct timeout snapshot versionid comp restype"
    )
)
_DELIMITED = (".csv", ".tab", ".pipe", ".txt")
_OWN_OUTPUT = re.compile(
    "(?:"
    + "|".join(
        re.escape(path.self_path.removesuffix("{}"))
        for path in sorted({*contract.STATUS_PATHS.values()} - {contract.JOBS}, key=str)
    )
    + "|dataflows/ListJobs/|dataflows/Download/)[^/]+/output/(?:succeeded|failed)"
)


def _signed(recording: Recording) -> Iterator[ParsedLink]:
    """Each signed URL once."""
    found = (link for job in recording.jobs(*JOBS) for link in job.links if link.is_signed)
    yield from {link.url: link for link in found}.values()


rule("4.signed", "Only output links are signed.", links(is_signed=True), NOT_SIGNED)(
    lambda link: "" if link.role == "output" else f"a {link.role} link should not be signed"
)
rule(
    "4.suffix",
    "A signed link ends in an empty fragment, so that an appended key is never sent.",
    items(_signed),
    NOT_SIGNED,
)(lambda link: link.url.endswith("#"))
rule("4.suffix-word", "A signed link holds the word succeeded or failed.", links(is_signed=True), NOT_SIGNED)(
    lambda link: link.name in link.url if link.name else None
)
rule("4.suffix-name", "The parameter before it means nothing to storage.", items(_signed), NOT_SIGNED)(
    lambda link: link.parts.query.rpartition("&")[2].partition("=")[0].lower() not in _RESERVED
)


def _is_readable(exchange: Exchange) -> bool | Skip:
    """Whether storage serves what a link leads to."""
    if exchange.failure:
        return Skip(f"storage can't be reached: {exchange.failure}")
    if exchange.status == NOT_FOUND:
        return Skip("storage has no such blob: signing a link does not request it")
    return exchange.status in {OK, PARTIAL}


def _fetched(purpose: Purpose) -> Callable[[Callable[[Exchange], Verdict], str], Check]:
    return items(lambda recording: (one for one in recording.exchanges if one.request.purpose is purpose))


rule("4.appended-key", "A signed link works with ?key= appended.", _fetched(P.LINK_APPENDED), NOT_SIGNED)(_is_readable)
rule("4.dropped-fragment", "It works where a client drops the # before that.", _fetched(P.LINK_DROPPED), NOT_SIGNED)(
    _is_readable
)
rule("4.link-head", "HEAD reads a signed link too.", _fetched(P.LINK_HEAD), NOT_SIGNED)(_is_readable)
rule("4.one-blob", "A signature is for one blob.", items(_signed, "sr"), NOT_SIGNED)(
    lambda link: "" if link.parameters.get("sr") == "b" else "sr should be b, one blob"
)
rule("4.reading", "A signature is for reading alone.", items(_signed, "sp"), NOT_SIGNED)(
    lambda link: "" if link.parameters.get("sp") == "r" else "sp should be r, reading alone"
)


@rule("4.https", "A signature is for https alone, but on an emulator.", items(_signed), NOT_SIGNED)
def _https(link: ParsedLink) -> str:
    is_right = link.url.startswith("https://") and link.parameters.get("spr") == "https"
    return "" if is_right or _is_emulator(link) else "it should be https, and spr too"


def _is_emulator(link: ParsedLink) -> bool:
    """Whether a link leads to the emulator's account, which stands in the path, or to this machine."""
    try:
        is_here = ip_address(link.parts.hostname or "").is_loopback
    except ValueError:
        is_here = link.parts.hostname == "localhost"
    return is_here or link.parts.path.startswith("/devstoreaccount1/")


def _signed_moment(name: str, earliest: timedelta, latest: timedelta, wrong: str) -> Check:
    """A moment in each signature lies between two, relative to the beginning of the run."""

    def check(recording: Recording) -> Iterator[Observation]:
        for link in _signed(recording):
            moment = _moment(link.parameters.get(name, ""))
            is_right = moment is not None and earliest < moment - recording.started_at < latest
            yield Observation(link.exchange, link.show(name), "" if is_right else wrong)

    return check


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


add(
    "4.start",
    "A signature starts a few minutes in the past.",
    _signed_moment("st", timedelta.min, -CLOCK_SKEW, "it should start a few minutes in the past"),
    NOT_SIGNED,
)
add(
    "4.end",
    "A signature is short-lived.",
    _signed_moment("se", timedelta(), MAX_LIFETIME, "it should end soon, but not yet"),
    NOT_SIGNED,
)
rule("4.saved-as", "A signed link carries content type and file name.", items(_signed, "rsct", "rscd"), NOT_SIGNED)(
    lambda link: bool(link.parameters.get("rsct") and link.parameters.get("rscd"))
)


@rule("4.delimited", "Delimited text is text/plain.", items(_signed, "rsct"))
def _delimited(link: ParsedLink) -> bool | None:
    is_plain = link.parameters.get("rsct", "").partition(";")[0].lower() == "text/plain"
    return is_plain if link.parts.path.lower().endswith(_DELIMITED) else None


@rule(
    "4.plain-bytes",
    "Outputs are plain bytes, not compressed.",
    exchanges("content-encoding", among=(P.LINK_APPENDED, P.LOCATION)),
)
def _plain_bytes(exchange: Exchange) -> bool | None:
    is_plain = not exchange.header("content-encoding") and not exchange.body.startswith(b"\x1f\x8b")
    return is_plain if exchange.status in {OK, PARTIAL} else None


def _redirects(recording: Recording) -> Iterator[Exchange]:
    for exchange in recording.of(P.OUTPUT, P.OUTPUT_LISTED, P.OUTPUT_DOWNLOAD, P.HEAD_OUTPUT):
        if 300 <= exchange.status < 400 or exchange.header("location") is not None:  # noqa: PLR2004 - every redirect
            yield exchange


rule("4.redirect", "An output path is a 302 to a URL.", items(_redirects))(
    lambda exchange: exchange.status == FOUND and (exchange.header("location") or "").startswith("http")
)
rule("4.no-store", "No cache may store that 302.", items(_redirects, "cache-control"))(
    lambda exchange: "no-store" in (exchange.header("cache-control") or "").lower()
)


@rule("4.location", "Its Location is signed, without a suffix.", items(_redirects, "location"))
def _location(exchange: Exchange) -> str:
    link = ParsedLink(exchange, "", None, exchange.header("location") or "", ())
    if "#" in link.url or not _RESERVED.issuperset(link.parameters):
        return "it should have no suffix"
    return "" if link.parameters.get("sig") else "it should be signed"


rule("4.location-works", "Its Location can be read.", _fetched(P.LOCATION))(_is_readable)
rule("4.authenticates", "An output path authenticates.", exchanges("location", among=(P.OUTPUT_NO_KEY,)))(
    lambda exchange: exchange.status == UNAUTHORIZED and exchange.header("location") is None
)
rule("4.linked", "An output that is there has its link.", exchanges(among=(P.OUTPUT_UNLINKED,)))(
    lambda exchange: exchange.status not in {OK, FOUND}
)
rule("4.kept-link", "An output link that is not signed is the output's path.", links(is_signed=False), NOT_KEPT)(
    lambda link: bool(_OWN_OUTPUT.fullmatch(unquote(link.tail))) if link.role == "output" else None
)
