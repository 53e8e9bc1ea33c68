"""What a migration does with each answer of the service: it goes on, waits, tries again, or stops with one line."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest

from proxy.comparison.answer import Answer
from proxy.comparison.connection import TransportError
from proxy.comparison.endpoint import Endpoint
from proxy.comparison.redaction import Redactor
from proxy.comparison.service_document import ListedSource
from proxy.migration.backoff import FAILURES, Backoff
from proxy.migration.errors import MigrationStoppedError, NotCopiedError
from proxy.migration.source_account import SourceAccount

KEY = "AbCdEf0123456789"
SOURCE = ListedSource("Shops", "acc", "Shop", "data/acc/Shops/Shop")
EMPTY = Answer(200, body=b'<service xmlns="http://www.w3.org/2007/app"/>')
QUOTA = Answer(
    503,
    "Service Unavailable",
    (("Retry-After", "0"),),
    b'{"errorDetails":["JobUsageQuota: Account already has 10 \'Pending\' jobs."]}',
)
HTML = Answer(200, "OK", (("Content-Type", "text/html"),), b"<html>Sign in</html>")


class Lines:
    """What is shown."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)

    def begin(self, what: str, total: int) -> None: ...

    def step(self, text: str) -> None: ...


class Script:
    """An endpoint that gives these answers, the last one again and again."""

    url = "https://service.example"
    redactor = Redactor((KEY,))

    def __init__(self, *answers: Answer | Exception) -> None:
        self.answers = list(answers)
        self.asked = 0

    def ask(self, _method: str, _path: str, _parameters: Mapping[str, str]) -> Answer:
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def fetch(self, _url: str, file: BinaryIO) -> Answer:
        file.write(b"part")
        return self.ask("GET", "", {})


def account(script: Script, lines: Lines | None = None, *, no_wait: bool = False) -> SourceAccount:
    return SourceAccount(cast("Endpoint", script), Backoff(lines or Lines(), no_wait=no_wait, retry_seconds=0))


def test_a_limit_of_the_service_is_waited_for_and_shown() -> None:
    lines, script = Lines(), Script(*[QUOTA] * 6, Answer(429, headers=(("Retry-After", "0"),)), EMPTY)
    assert asyncio.run(account(script, lines).list_data_sources()) == []
    assert len(lines.lines) == 7
    assert "JobUsageQuota: Account already has 10 'Pending' jobs.): waits 0 s, until " in lines.lines[0]


@pytest.mark.parametrize("limit", [QUOTA, Answer(429, "Too Many Requests")])
def test_with_no_wait_a_limit_ends_the_run(limit: Answer) -> None:
    script = Script(limit)
    with pytest.raises(MigrationStoppedError, match=r"takes no more now .*--no-wait is given"):
        asyncio.run(account(script, no_wait=True).list_data_sources())
    assert script.asked == 1


@pytest.mark.parametrize("failure", [TransportError("it breaks off"), HTML, Answer(500), Answer(503), Answer(502)])
def test_a_short_failure_is_overcome(failure: Answer | Exception) -> None:
    script = Script(*[failure] * (FAILURES - 1), EMPTY)
    assert asyncio.run(account(script).list_data_sources()) == []


@pytest.mark.parametrize(
    ("answer", "times", "words"),
    [
        (TransportError("https://service.example: the connection is refused"), FAILURES, "the connection is refused"),
        (TransportError("https://service.example: its certificate is not trusted: x"), 1, "certificate is not trusted"),
        (HTML, FAILURES, "HTTP 200 OK, an HTML page"),
        (Answer(502, "Bad Gateway"), FAILURES, "HTTP 502 Bad Gateway"),
        (Answer(401, "Unauthorized"), 1, "refuses the key: give a master key of the account"),
        (Answer(404, "Not Found"), 1, "HTTP 404 Not Found"),
        (Answer(302, "Found"), 1, "redirects: give the address"),
        (Answer(200, body=b"<a/>"), 1, "no AtomPub service document; check --from"),
        (TransportError(f"{KEY} breaks off"), FAILURES, r"\*+ breaks off"),
    ],
)
def test_what_lasts_stops_the_run_with_one_line(answer: Answer | Exception, times: int, words: str) -> None:
    script = Script(answer)
    with pytest.raises(MigrationStoppedError, match=words) as raised:
        asyncio.run(account(script).list_data_sources())
    assert script.asked == times
    assert "\n" not in str(raised.value)
    assert KEY not in str(raised.value)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(404, "Not Found"), "creates no download: HTTP 404"),
        (Answer(400, "Bad Request"), "HTTP 400 Bad Request"),
        (Answer(401, "Unauthorized"), "refuses the key"),
        (Answer(200, body=b"{}"), "can't be read"),
        (Answer(200, body=b'{"resourceSets":[{"resources":[]}]}'), "has no job"),
    ],
)
def test_what_is_about_one_data_source_does_not_stop_the_run(answer: Answer, words: str) -> None:
    with pytest.raises(NotCopiedError, match=words):
        asyncio.run(account(Script(answer)).create_download(SOURCE))


def test_a_data_source_that_is_gone_has_no_versions() -> None:
    assert asyncio.run(account(Script(Answer(404))).list_versions(SOURCE)) == []


def test_a_version_whose_job_is_not_told_has_no_load() -> None:
    assert asyncio.run(account(Script(Answer(500))).get_load(SOURCE)) is None


def test_a_download_of_another_id_is_not_taken_for_the_one_that_was_created() -> None:
    job = b"""{"resourceSets":[{"resources":[{"__type":"DataflowJob:x","id":"%s","status":"Pending",
        "createdDate":"Thu, 17 Nov 2011 20:38:31 GMT"}]}]}"""
    other, same = Answer(200, body=job % b"d2"), Answer(200, body=job % b"D1")
    found = asyncio.run(account(Script(Answer(404), same)).find_download(SOURCE, "d1"))
    assert found is not None
    assert found.id == "D1"
    assert asyncio.run(account(Script(Answer(400), other)).find_download(SOURCE, "d1")) is None


@pytest.mark.parametrize("body", [b"{}", b'{"d":{"__count":"x","results":[]}}', b"<a/>"])
def test_a_size_that_the_service_does_not_tell_is_unknown(body: bytes) -> None:
    assert asyncio.run(account(Script(Answer(200, body=body))).estimate(SOURCE)) is None


@pytest.mark.parametrize("status", [401, 404, 410])
def test_an_output_that_the_service_has_no_more_is_none(tmp_path: Path, status: int) -> None:
    assert asyncio.run(account(Script(Answer(status))).fetch("x", tmp_path / "data")) is None
    assert not (tmp_path / "data").exists()


def test_an_output_that_breaks_off_is_fetched_again_and_never_half_there(tmp_path: Path) -> None:
    script = Script(TransportError("its answer breaks off"), Answer(500), Answer(200))
    assert asyncio.run(account(script).fetch("x", tmp_path / "data")) == 4
    always = Script(TransportError("its answer breaks off"))
    with pytest.raises(NotCopiedError, match=f"in {FAILURES} tries: its answer breaks off"):
        asyncio.run(account(always).fetch("x", tmp_path / "again"))
    assert not (tmp_path / "again").exists()


def test_a_full_disk_is_no_failure_of_the_service(tmp_path: Path) -> None:
    script = Script(OSError(28, "No space left on device"))
    with pytest.raises(OSError, match="No space left"):
        asyncio.run(account(script).fetch("x", tmp_path / "data"))


def test_a_cancelled_question_waits_for_no_answer() -> None:
    async def cancel() -> None:
        released: Any = asyncio.Event()
        loop = asyncio.get_running_loop()

        class Slow(Script):
            def ask(self, *_: object) -> Answer:
                asyncio.run_coroutine_threadsafe(released.wait(), loop).result(60)
                return EMPTY

        asking = asyncio.create_task(account(Slow(EMPTY)).list_data_sources())
        await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        released.set()
        await asyncio.sleep(0.01)

    asyncio.run(cancel())
