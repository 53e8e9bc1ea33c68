"""What the files of a geocode job cost: 200,000 rows read, planned, and written with an answer each.

For Linux, without Azure and without a geocoder: each item has the same place. Seconds are those of the processor, so
that what else goes on in the machine counts less. The peak of memory is that of a process that does nothing else.

`python -m benchmarks.geocode_formats` prints the figures; with a file and its format, the peak of that one.
"""

import io
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson

from adapters.maps.mapping import parse_batch
from benchmarks.figures import Figure
from benchmarks.geocode.place import PLACE
from proxy.formats.geocode.checkpoints import encode_answers, encode_chunk
from proxy.formats.geocode.chunks import ChunkPlan, plan_chunks
from proxy.formats.geocode.job_files import RequestFormat, open_requests, write_outputs
from proxy.formats.geocode.stored_answers import StoredAnswers
from proxy.formats.limits import LoadLimits

ROWS = 200_000
ROWS_PER_SECOND = 20_000
MEGABYTES = 300
BY = {RequestFormat.CSV: ",", RequestFormat.TAB: "\t", RequestFormat.PIPE: "|"}
ADDRESS = (
    "AddressLine", "AdminDistrict", "CountryRegion", "AdminDistrict2", "FormattedAddress", "Locality", "PostalCode",
    "PostalTown",
)  # fmt: skip
COLUMNS = [
    "Id",
    "GeocodeRequest/Culture",
    "GeocodeRequest/Query",
    *(f"GeocodeRequest/Address/{name}" for name in ADDRESS),
    *(f"GeocodeResponse/Address/{name}" for name in (*ADDRESS, "Neighborhood", "Landmark")),
    *(f"GeocodeResponse/{name}" for name in ("Confidence", "Name", "EntityType", "MatchCodes", "GeocodePoints")),
    *(f"GeocodeResponse/Point/{name}" for name in ("Latitude", "Longitude")),
    *(f"GeocodeResponse/BoundingBox/{side}" for side in ("SouthLatitude", "WestLongitude", "NorthLatitude")),
    *("StatusCode", "FaultReason", "TraceId"),
]


def geocoding_files(rows: int = ROWS) -> Iterator[Figure]:
    """Rows a second by format, read and written together, and the peak of memory."""
    with TemporaryDirectory() as folder:
        for form in (RequestFormat.CSV, RequestFormat.PIPE, RequestFormat.XML):
            file = Path(folder) / f"rows.{form}"
            write_sample(file, form, rows)
            seconds = measure(file, form)
            yield Figure(f"geocode {form}, read and written", rows / seconds, "rows/s", at_least=ROWS_PER_SECOND)
            yield Figure(f"geocode {form}, peak of memory", megabytes(file, form), "MB", at_most=MEGABYTES)
        yield Figure("geocode answers, parsed and stored", rows / measure_answers(rows), "rows/s")


def write_sample(file: Path, form: RequestFormat, rows: int) -> None:
    """Addresses that all differ."""
    with file.open("w", encoding="utf-8", newline="") as out:
        if form is RequestFormat.XML:
            out.write('<?xml version="1.0" encoding="utf-8"?>\n<GeocodeFeed Version="2.0">\n')
            for row in range(rows):
                out.write(
                    f'<GeocodeEntity Id="{row}"><GeocodeRequest Culture="en-US"><Address AddressLine="{row} Main St" '
                    f'AdminDistrict="WA" CountryRegion="United States" Locality="Redmond" PostalCode="98052" />'
                    f"</GeocodeRequest></GeocodeEntity>\n"
                )
            out.write("</GeocodeFeed>\n")
            return
        by = BY[form]
        out.write(f"Bing Spatial Data Services, 2.0\n{by.join(COLUMNS)}\n")
        for row in range(rows):
            values = [row, "en-US", "", f'"{row} Main St, Apt 2"', "WA", "United States", "", "", "Redmond", "98052"]
            out.write(by.join(map(str, values)) + "\n")


def measure(file: Path, form: RequestFormat) -> float:
    """Seconds of all that a job does beside its calls, but for parsing their answers.

    A file is read twice: once for the plan, once for the outputs, with answers from checkpoints.
    """
    place = parse_batch({"batchItems": [{"features": [PLACE]}]}, 1)
    checkpoint = encode_answers(place * 100)
    started = time.process_time()
    with open_requests(file, form, LoadLimits()) as requests:
        for chunk in plan_chunks((row.question for row in requests.rows if row.question), ChunkPlan()):
            encode_chunk(chunk)
    answers = StoredAnswers(lambda _: checkpoint)
    with open_requests(file, form, LoadLimits()) as requests, file.with_suffix(".out").open("wb") as out:
        counts = write_outputs(requests, answers.find, out, io.BytesIO(), "job")
    assert counts.failed == 0
    return time.process_time() - started


def measure_answers(rows: int) -> float:
    """Seconds to parse and store answers."""
    document = json.dumps({"batchItems": [{"features": [PLACE]}] * 100})
    started = time.process_time()
    for _ in range(rows // 100):
        encode_answers(parse_batch(orjson.loads(document), 100))
    return time.process_time() - started


def megabytes(file: Path, form: RequestFormat) -> float:
    """The peak of a process that reads and writes this file."""
    command = [sys.executable, "-m", "benchmarks.geocode_formats", str(file), form.value]
    measured = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(json.loads(measured.stdout))


if __name__ == "__main__":
    if sys.argv[1:]:
        measure(Path(sys.argv[1]), RequestFormat(sys.argv[2]))
        # Not getrusage: its peak is that of the process before it became this program.
        print(int(re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text()).group(1)) / 1024)  # type: ignore[union-attr]  # Linux has it
    else:
        for figure in geocoding_files():
            print(f"{figure.what:48} {figure.value:12,.0f} {figure.unit:10} {figure.goal}", flush=True)
