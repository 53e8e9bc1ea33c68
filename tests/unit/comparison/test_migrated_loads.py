"""Which jobs of one side a migration made."""

import json
from typing import Any

from proxy.comparison.answer import Answer
from proxy.comparison.difference import Outcome, Question, compare_answers
from proxy.comparison.endpoint import Endpoint
from proxy.comparison.job_filter import leave_out
from proxy.comparison.job_list import ListedJob
from proxy.comparison.migrated_loads import find_migrated_loads
from proxy.comparison.service_document import ListedSource
from proxy.comparison.trees import read_tree

XML = (
    '<Response xmlns="http://schemas.microsoft.com/search/local/ws/rest/v1"><ResourceSets><ResourceSet>'
    "<EstimatedTotal>{total}</EstimatedTotal><Resources>{jobs}</Resources></ResourceSet></ResourceSets></Response>"
)


class Side(Endpoint):
    """A side whose data sources have one version each, made by this job."""

    made_by = ""

    def ask(self, *_: Any, **__: Any) -> Answer:
        """The versions of any data source."""
        workspace = f"<workspace><jobId>{self.made_by}</jobId><collection href='http://127.0.0.1/REST/v1/data/a/N/T'/></workspace>"
        return Answer(200 if self.made_by else 404, "", (), f"<service>{workspace}</service>".encode())


def find(left: str, right: str, left_jobs: list[str], right_jobs: list[str]) -> frozenset[str]:
    """The copies, where these jobs made the versions and these are listed."""
    sides = Side("http://127.0.0.1", "key"), Side("http://127.0.0.1", "key")
    for side, made_by in zip(sides, (left, right), strict=True):
        side.made_by = made_by
    jobs = [[ListedJob(each, "Completed", "N", "", (), {}) for each in ids] for ids in (left_jobs, right_jobs)]
    return find_migrated_loads(sides, jobs, [[ListedSource("N", "a", "T", "data/a/N/T")]] * 2)


def test_load_that_one_side_made_is_a_copy() -> None:
    assert find("Old", "New", [], ["New", "other"]) == {"new"}
    assert find("Old", "New", ["Old"], ["New"]) == {"old", "new"}


def test_load_that_made_both_versions_is_no_copy() -> None:
    assert find("One", "one", [], ["one"]) == frozenset()
    assert find("", "", ["a"], ["b"]) == frozenset()


def test_job_list_without_copies_counts_fewer() -> None:
    jobs = [{"id": each, "status": "Completed"} for each in ("a", "B", "c")]
    left = json.dumps({"resourceSets": [{"estimatedTotal": 3, "resources": jobs}]}).encode()
    right = json.dumps({"resourceSets": [{"estimatedTotal": 2, "resources": jobs[::2]}]}).encode()
    sides = Answer(200, "", (), left), Answer(200, "", (), right)
    assert compare_answers(Question.JOBS, *sides).outcome is Outcome.DIFFERENT
    assert compare_answers(Question.JOBS, *sides, without_jobs=frozenset("b")).outcome is Outcome.SAME


def test_job_list_in_xml_without_copies_counts_fewer() -> None:
    jobs = [f"<DataflowJob><Id>{each}</Id></DataflowJob>" for each in "ab"]
    both = read_tree(XML.format(total=2, jobs="".join(jobs)).encode())
    one = read_tree(XML.format(total=1, jobs=jobs[1]).encode())
    assert leave_out(both, frozenset("a")) == (one, 1)
