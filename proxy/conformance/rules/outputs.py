"""Section 4: output links, and what clients do to them."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from urllib.parse import parse_qsl, unquote

from proxy.conformance import contract
from proxy.conformance.exchange import ROOT, Exchange, Purpose
from proxy.conformance.recording import Recording
from proxy.conformance.rule import Check, Observation, Rule, Skip
from proxy.conformance.rules.checks import JOBS, parts_of

NO_OUTPUT = "no job that was asked for has an output"
NOT_SIGNED = "no output link is signed: none is there, or the endpoint keeps them on itself"
NOT_KEPT = "no output link leads to the endpoint: none is there, or they are signed"
NOT_FETCHED = "no signed link could be fetched"
LONGEST = timedelta(days=8)
SKEW = timedelta(minutes=1)

# What storage gives a meaning to, so that no suffix may end in it.
_SAS = ("sv", "sr", "st", "se", "sp", "spr", "sip", "sig", "ss", "srt", "si", "ses", "saoid", "suoid", "scid", "sdd")
_DELEGATED = ("skoid", "sktid", "skt", "ske", "sks", "skv", "skdutid", "sduoid")
_SHOWN = ("rscc", "rscd", "rsce", "rscl", "rsct")
_TAKEN = frozenset((*_SAS, *_DELEGATED, *_SHOWN, "timeout", "snapshot", "versionid", "comp", "restype"))
_DELIMITED = (".csv", ".tab", ".pipe", ".txt")
_GZIP = b"\x1f\x8b"
_SOUND, _PARTIAL, _FOUND, _MISSING, _REFUSED = 200, 206, 302, 404, 403


def _signed(record: Recording) -> Iterator[tuple[Exchange, str]]:
    """Every signed link once."""
    seen = set()
    for job in record.jobs(*JOBS):
        for link in job.links:
            if link.is_signed and link.url not in seen:
                seen.add(link.url)
                yield job.exchange, link.url


def _parameters(url: str) -> dict[str, str]:
    return dict(parse_qsl(parts_of(url).query, keep_blank_values=True))


def _each_link(wrong: Callable[[str], str]) -> Check:
    def judge(record: Recording) -> Iterator[Observation]:
        for exchange, url in _signed(record):
            yield Observation(exchange, url, wrong(url))

    return judge


def _signed_role(record: Recording) -> Iterator[Observation]:
    for job in record.jobs(*JOBS):
        for link in job.links:
            if link.is_signed:
                yield Observation(
                    job.exchange, link.url, "" if link.role == "output" else f"a {link.role} link should not be signed"
                )


def _suffix(url: str) -> str:
    return "" if url.endswith("#") else "it should end in an empty fragment: what is appended is never sent then"


def _suffix_word(record: Recording) -> Iterator[Observation]:
    for job in record.jobs(*JOBS):
        for link in job.links:
            if link.is_signed and link.name:
                wrong = "" if link.name in link.url else f"it should hold the word {link.name}"
                yield Observation(job.exchange, link.url, wrong)


def _suffix_name(url: str) -> str:
    last = parts_of(url).query.rpartition("&")[2].partition("=")[0].lower()
    return f"its last parameter is {last}, which storage reads" if last in _TAKEN else ""


def _one_blob(url: str) -> str:
    return "" if _parameters(url).get("sr") == "b" else "sr should be b, one blob"


def _read_only(url: str) -> str:
    return "" if _parameters(url).get("sp") == "r" else "sp should be r, reading alone"


def _https(url: str) -> str:
    sound = url.startswith("https://") and _parameters(url).get("spr") == "https"
    return "" if sound or _is_emulator(url) else "it should be https, and spr too"


def _is_emulator(url: str) -> bool:
    """Whether a link is the emulator's: of its account, which stands in the path there, or of this machine."""
    parts = parts_of(url)
    try:
        is_here = ip_address(parts.hostname or "").is_loopback
    except ValueError:
        is_here = parts.hostname == "localhost"
    return is_here or parts.path.startswith("/devstoreaccount1/")


def _instant(text: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _starts(record: Recording) -> Iterator[Observation]:
    for exchange, url in _signed(record):
        start = _parameters(url).get("st")
        moment = _instant(start)
        sound = moment is not None and moment < record.asked_at - SKEW
        yield Observation(exchange, f"st={start}", "" if sound else "it should start a few minutes in the past")


def _ends(record: Recording) -> Iterator[Observation]:
    for exchange, url in _signed(record):
        end = _parameters(url).get("se")
        moment = _instant(end)
        sound = moment is not None and record.asked_at < moment < record.asked_at + LONGEST
        yield Observation(exchange, f"se={end}", "" if sound else "it should end soon, but not yet")


def _saves_as(url: str) -> str:
    found = _parameters(url)
    return "" if found.get("rsct") and found.get("rscd") else "it should carry the content type and the file name"


def _delimited(record: Recording) -> Iterator[Observation]:
    for exchange, url in _signed(record):
        if parts_of(url).path.lower().endswith(_DELIMITED):
            found = _parameters(url).get("rsct", "")
            sound = found.partition(";")[0].lower() == "text/plain"
            yield Observation(exchange, f"rsct={found}", "" if sound else "it should be text/plain")


def _fetched(*purposes: Purpose) -> Check:
    """Links that clients changed, and what storage said."""

    def judge(record: Recording) -> Iterator[Observation | Skip]:
        for each in record.exchanges:
            if each.ask.purpose in purposes:
                if each.failure:
                    yield Skip(f"storage could not be asked: {each.failure}")
                elif each.status == _MISSING:
                    yield Skip("storage has no such blob: signing a link does not ask for it")
                else:
                    sound = each.status in {_SOUND, _PARTIAL}
                    yield Observation(each, each.status_line, "" if sound else "storage should give it")

    return judge


def _plain(record: Recording) -> Iterator[Observation]:
    for each in record.of(Purpose.LINK_APPENDED, Purpose.LOCATION):
        if each.status in {_SOUND, _PARTIAL}:
            encoding = each.header("content-encoding")
            wrong = "it should be plain bytes" if encoding or each.body.startswith(_GZIP) else ""
            yield Observation(each, f"Content-Encoding: {encoding or 'none'}, {len(each.body)} bytes", wrong)


def _found(record: Recording) -> Iterator[tuple[Exchange, str]]:
    for each in record.of(Purpose.OUTPUT, Purpose.OUTPUT_LISTED, Purpose.OUTPUT_DOWNLOAD, Purpose.HEAD_OUTPUT):
        location = each.header("location")
        if 300 <= each.status < 400 or location is not None:  # noqa: PLR2004 - redirects
            yield each, location or ""


def _redirects(record: Recording) -> Iterator[Observation]:
    for each, location in _found(record):
        sound = each.status == 302 and location.startswith("http")  # noqa: PLR2004 - some clients follow no 308
        yield Observation(each, each.status_line, "" if sound else "it should be 302, with a URL as its Location")


def _no_store(record: Recording) -> Iterator[Observation]:
    for each, _ in _found(record):
        found = each.header("cache-control") or "none"
        yield Observation(
            each, f"Cache-Control: {found}", "" if "no-store" in found.lower() else "it should be no-store"
        )


def _location(record: Recording) -> Iterator[Observation]:
    for each, location in _found(record):
        parameters = _parameters(location)
        wrong = "it should be signed" if not parameters.get("sig") else ""
        if "#" in location or not _TAKEN.issuperset(parameters):
            wrong = "it should have no suffix"
        yield Observation(each, f"Location: {location}", wrong)


def _authenticates(record: Recording) -> Iterator[Observation]:
    for each in record.of(Purpose.OUTPUT_NO_KEY):
        sound = each.status == 401 and each.header("location") is None  # noqa: PLR2004 - no key
        yield Observation(each, each.status_line, "" if sound else "without a key it should be 401, without a Location")


def _unlinked(record: Recording) -> Iterator[Observation]:
    for each in record.of(Purpose.OUTPUT_UNLINKED):
        wrong = "it is there, and no link of its job leads to it" if each.status in {_SOUND, _FOUND} else ""
        yield Observation(each, each.status_line, wrong)


def _kept_links(record: Recording) -> Iterator[Observation]:
    kinds = "|".join(
        re.escape(kind.self_path.rpartition("{}")[0]) for kind in set(contract.KINDS.values()) - {contract.JOBS}
    )
    shape = re.compile(rf"(?:{kinds}|dataflows/ListJobs/|dataflows/Download/)[^/]+/output/(?:succeeded|failed)")
    for job in record.jobs(*JOBS):
        for link in job.links:
            if link.role == "output" and not link.is_signed:
                tail = link.url.partition(ROOT)[2]
                wrong = "" if shape.fullmatch(unquote(tail)) else "it should be {kind}/{id}/output/succeeded or failed"
                yield Observation(job.exchange, link.url, wrong)


RULES = (
    Rule("4.signed", "Only output links are signed.", _signed_role, NOT_SIGNED),
    Rule(
        "4.suffix",
        "A signed link ends in an empty fragment, so that an appended key is never sent.",
        _each_link(_suffix),
        NOT_SIGNED,
    ),
    Rule("4.suffix-word", "A signed link holds the word succeeded or failed.", _suffix_word, NOT_SIGNED),
    Rule("4.suffix-name", "The parameter before it means nothing to storage.", _each_link(_suffix_name), NOT_SIGNED),
    Rule("4.appended-key", "A signed link works with ?key= appended.", _fetched(Purpose.LINK_APPENDED), NOT_SIGNED),
    Rule(
        "4.dropped-fragment",
        "It works where a client drops the # before that.",
        _fetched(Purpose.LINK_DROPPED),
        NOT_SIGNED,
    ),
    Rule("4.link-head", "HEAD reads a signed link too.", _fetched(Purpose.LINK_HEAD), NOT_SIGNED),
    Rule("4.one-blob", "A signature is for one blob.", _each_link(_one_blob), NOT_SIGNED),
    Rule("4.reading", "A signature is for reading alone.", _each_link(_read_only), NOT_SIGNED),
    Rule("4.https", "A signature is for https alone, but on an emulator.", _each_link(_https), NOT_SIGNED),
    Rule("4.start", "A signature starts a few minutes in the past.", _starts, NOT_SIGNED),
    Rule("4.end", "A signature is short-lived.", _ends, NOT_SIGNED),
    Rule("4.saved-as", "A signed link carries content type and file name.", _each_link(_saves_as), NOT_SIGNED),
    Rule("4.delimited", "Delimited text is text/plain.", _delimited, "no signed link leads to delimited text"),
    Rule("4.plain-bytes", "Outputs are plain bytes, not compressed.", _plain, NOT_FETCHED),
    Rule("4.redirect", "An output path is a 302 to a URL.", _redirects, NO_OUTPUT),
    Rule("4.no-store", "Nobody may keep that 302.", _no_store, NO_OUTPUT),
    Rule("4.location", "Its Location is signed, without a suffix.", _location, NO_OUTPUT),
    Rule("4.location-works", "Its Location can be read.", _fetched(Purpose.LOCATION), NO_OUTPUT),
    Rule("4.authenticates", "An output path authenticates.", _authenticates, NO_OUTPUT),
    Rule(
        "4.linked",
        "An output that is there has its link.",
        _unlinked,
        "every finished job that was asked for links to its output",
    ),
    Rule("4.kept-link", "An output link that is not signed is the output's path.", _kept_links, NOT_KEPT),
)
