"""What the world may hand us: texts, envelopes, table rows."""

from http import HTTPStatus
from typing import Any

from hypothesis import strategies as st

from adapters.model.jobs import JobType
from adapters.model.status_aliases import STATUS_ALIASES
from adapters.model.ticks import LAST, Ticks
from proxy.wire.envelope import Authentication, Envelope
from proxy.wire.resources import INT32_MAX, EntityCounts, JobResource, Link, ResourceType

STATES = ("Pending", "Completed", "Aborted")

# Lone surrogates too: a JSON string can carry them into a row.
texts = st.text(st.characters(exclude_categories=()), max_size=30)
some_text = st.none() | texts.filter(bool)
words = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=1, max_size=12)
moments = st.integers(0, LAST).map(Ticks)
int32 = st.integers(0, INT32_MAX)

links = st.builds(Link, role=words, url=texts, name=st.none() | words)


@st.composite
def jobs(draw: st.DrawFn) -> JobResource:
    """Any resource: a DataflowJob has counts, a DataServiceJob has none."""
    resource_type = draw(st.sampled_from(ResourceType))
    has_counts = resource_type is ResourceType.DATAFLOW_JOB
    return JobResource(
        resource_type=resource_type,
        id=draw(texts),
        status=draw(st.sampled_from(STATES)),
        created=draw(moments),
        completed=draw(st.none() | moments),
        name=draw(some_text),
        description=draw(some_text),
        error_message=draw(some_text),
        links=tuple(draw(st.lists(links, max_size=3))),
        counts=draw(st.builds(EntityCounts, int32, int32, int32)) if has_counts else None,
    )


@st.composite
def envelopes(draw: st.DrawFn) -> Envelope:
    """Any answer: an error, an empty list, or some jobs."""
    status = draw(st.sampled_from(HTTPStatus))
    return Envelope(
        status_code=status.value,
        status_description=status.phrase,
        authentication=draw(st.sampled_from(Authentication)),
        copyright=draw(texts),
        brand_logo_uri=draw(texts),
        trace_id=draw(st.text("0123456789abcdef", min_size=32, max_size=32)),
        resources=draw(st.none() | st.lists(jobs(), max_size=3).map(tuple)),
        error_details=tuple(draw(st.lists(texts, max_size=3))),
    )


EDM_TYPES = [
    "Edm.String",
    "Edm.Boolean",
    "Edm.Binary",
    "Edm.DateTime",
    "Edm.Double",
    "Edm.Guid",
    "Edm.Int32",
    "Edm.Int64",
]
TEXTS = ["RowKey", "JobType", "Status", "DataSourceName", "AccessId", "Description", "ErrorMessage", "LegacyId"]
DATES = ["CreatedDate", "CompletedDate"]
COUNTS = ["TotalEntityCount", "ProcessedEntityCount", "FailedEntityCount"]
BLOBS = ["OutputBlob", "FailedBlob"]
PROPERTIES = [*TEXTS, *DATES, *COUNTS, *BLOBS]

dates = st.sampled_from(
    [
        "2013-01-03T23:22:15.7979398Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.9999999Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "2013-02-30T00:00:00Z",
        "2013-01-03T24:00:00Z",
        "2013-01-03",
    ]
)
# What a JSON entity may hold, the plausible more often than the absurd.
plausible = (
    st.sampled_from([*JobType, *STATUS_ALIASES, "Exploded", "exports/a.xml", "exports/", "/a", "%", "f" * 32])
    | dates
    | st.integers(-(2**70), 2**70)
    | st.integers(-(2**70), 2**70).map(str)
)
values = plausible | st.recursive(
    st.none() | st.booleans() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=3,
)
annotations = st.sampled_from(EDM_TYPES) | texts | st.none()


GOOD: dict[str, Any] = {
    "PartitionKey": "contoso",
    "RowKey": "0198c0ffee007abc8def0123456789ab",
    "JobType": "DataSourceComplete",
    "Status": "Completed",
    "CreatedDate@odata.type": "Edm.DateTime",
    "CreatedDate": "2013-01-03T23:22:15.7979398Z",
    "TotalEntityCount@odata.type": "Edm.Int64",
    "TotalEntityCount": "3",
    "DataSourceName": "FourthCoffee",
    "AccessId": "20181f26",
    "OutputBlob": "exports/a.xml",
    "FailedBlob": "exports/a.log",
}


@st.composite
def entities(draw: st.DrawFn) -> dict[str, Any]:
    """A good row, with some of its properties changed, taken away, or given another type."""
    row = GOOD | {"JobType": draw(st.sampled_from(JobType)).value, "Status": draw(st.sampled_from([*STATUS_ALIASES]))}
    row |= draw(st.dictionaries(st.sampled_from(PROPERTIES), values, max_size=4))
    row |= draw(
        st.dictionaries(st.sampled_from(PROPERTIES).map(lambda name: f"{name}@odata.type"), annotations, max_size=2)
    )
    for name in draw(st.sets(st.sampled_from(sorted(row)), max_size=2)):
        del row[name]
    return row
