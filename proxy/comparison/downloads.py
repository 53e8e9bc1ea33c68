"""Compares the newest finished downloads of a data source, by a digest over their entities."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from proxy.comparison.answer import AnswerKind
from proxy.comparison.connection import TransportError
from proxy.comparison.difference import Difference, Outcome, Verdict, not_comparable
from proxy.comparison.endpoint import Endpoint, segment
from proxy.comparison.entity_digest import DownloadError, EntityDigest, digest_download
from proxy.comparison.job_list import read_jobs
from proxy.comparison.service_document import DocumentError, ListedSource

TITLE = "entities of the newest download, by digest"


def compare_downloads(left: Endpoint, right: Endpoint, source: ListedSource) -> Iterator[tuple[str, Verdict]]:
    """The title and the verdict; nothing where a side has no finished download, which is none to compare."""
    try:
        links = [_find_link(each, source) for each in (left, right)]
        if all(links):
            digests = [_digest(side, link) for side, link in zip((left, right), links, strict=True)]
            yield TITLE, _judge(*digests)
    except (TransportError, DownloadError) as error:
        yield TITLE, not_comparable(str(error))


def _find_link(side: Endpoint, source: ListedSource) -> str:
    """Where the output of the newest download job is; empty where none is finished."""
    answer = side.ask("GET", f"Dataflows/DataSourceDownload/{segment(source.name)}")
    if answer.kind is not AnswerKind.SUCCESS:
        return ""
    try:
        jobs = read_jobs(answer.body)
    except DocumentError:
        return ""
    return jobs[0].link("output", "succeeded") if jobs and jobs[0].status == "Completed" else ""


def _digest(side: Endpoint, link: str) -> EntityDigest:
    with TemporaryDirectory(prefix="compare-") as folder:
        path = Path(folder) / "download"
        with path.open("wb") as file:
            answer = side.fetch(link, file)
        if answer.kind is not AnswerKind.SUCCESS:
            raise DownloadError(f"{side.url}: the download can't be fetched: {side.redactor.text(answer.describe())}")
        return digest_download(path)


def _judge(left: EntityDigest, right: EntityDigest) -> Verdict:
    if left == right:
        return Verdict(Outcome.SAME)
    found = Difference("(entities)", "differ", f"{left.entities} entities", f"{right.entities} entities")
    return Verdict(Outcome.DIFFERENT, (found,), 1)
