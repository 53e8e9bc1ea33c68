"""What a load and an export cost beside their floors: 200,000 entities of 20 properties from XML and CSV.

XML comes in two forms: as an export writes it, and irregular, in a namespace, with comments, in another order.

For Linux. A load here is parsing, all rules and record batches, without Azure.
Its floor is the fastest well-kept parser alone over the same file: for XML expat without handlers, for CSV Python's
csv.reader; lxml's iterparse and pyarrow's reader stand beside them. An export's floor is writing the same bytes.
Medians of several rounds; the peak of memory is that of a process that does nothing else.
"""

import csv
import json
import random
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.parsers import expat

import pyarrow as pa
import pyarrow.csv
from lxml import etree

from adapters.model.ticks import LAST
from benchmarks.figures import Figure
from proxy.formats.exporter import write_export
from proxy.formats.limits import LoadLimits
from proxy.formats.loader import InputFormat, Loader
from proxy.formats.schema import EdmType, EntityType, Property

ENTITIES = 200_000
ROUNDS = 5
PIECE = 1024 * 1024

TEXTS = ("AddressLine", "Locality", "AdminDistrict", "CountryRegion", "PostalCode", "Phone", "Manager", "Store", "Name")
TYPE = EntityType(
    "FourthCoffeeShops",
    (
        Property("EntityID", EdmType.STRING),
        *(Property(name, EdmType.STRING) for name in TEXTS),
        *(Property(name, EdmType.DOUBLE) for name in ("Longitude", "Latitude", "Area")),
        *(Property(name, EdmType.BOOLEAN) for name in ("IsWiFiHotSpot", "IsWheelchairAccessible", "AcceptsCards")),
        *(Property(name, EdmType.INT64) for name in ("Open", "Close")),
        *(Property(name, EdmType.DATETIME) for name in ("CreatedDate", "LastUpdatedDate")),
    ),
    "EntityID",
)


def exchanging(rounds: int = ROUNDS) -> Iterator[Figure]:
    """The figures with their goals: times of floors, and memory."""
    with TemporaryDirectory() as folder:
        found = figures(Path(folder), rounds=rounds)
    for what, value in found.items():
        if what.startswith("seconds, "):
            yield Figure(what.removeprefix("seconds, "), value, "s")
        elif what.startswith("megabytes"):
            yield Figure(what.removeprefix("megabytes at the peak, ") + ", peak of memory", value, "MB", at_most=400)
        else:
            yield Figure(what, value, "times", at_most=4 if "XML" in what else 3)


def figures(folder: Path, entities: int = ENTITIES, rounds: int = ROUNDS) -> dict[str, float]:
    """Seconds, ratios and megabytes by their names; the files are made in this folder."""
    xml, irregular, text, copy = (folder / name for name in ("shops.xml", "irregular.xml", "shops.csv", "copy.xml"))
    batches = sample(entities)
    write_xml(xml, batches)
    write_irregular(irregular, xml)
    write_csv(text, batches)
    data = xml.read_bytes()
    found = {
        "seconds, expat alone": median(lambda: parse_expat(xml), rounds),
        "seconds, lxml iterparse alone": median(lambda: parse_lxml(xml), rounds),
        "seconds, load of XML": median(lambda: load(xml, InputFormat.XML), rounds),
        "seconds, expat alone, irregular XML": median(lambda: parse_expat(irregular), rounds),
        "seconds, load of irregular XML": median(lambda: load(irregular, InputFormat.XML), rounds),
        "seconds, csv.reader alone": median(lambda: parse_csv(text), rounds),
        "seconds, pyarrow.csv alone, all columns strings": median(lambda: parse_arrow(text), rounds),
        "seconds, load of CSV": median(lambda: load(text, InputFormat.CSV), rounds),
        "seconds, writing the bytes alone": median(lambda: write_pieces(copy, data), rounds),
        "seconds, export": median(lambda: write_xml(copy, batches), rounds),
    }
    found["load of XML / expat"] = found["seconds, load of XML"] / found["seconds, expat alone"]
    found["load of irregular XML / expat"] = (
        found["seconds, load of irregular XML"] / found["seconds, expat alone, irregular XML"]
    )
    found["load of CSV / csv.reader"] = found["seconds, load of CSV"] / found["seconds, csv.reader alone"]
    found["export / writing"] = found["seconds, export"] / found["seconds, writing the bytes alone"]
    found["megabytes at the peak, load of XML"] = megabytes(xml, InputFormat.XML)
    found["megabytes at the peak, load of CSV"] = megabytes(text, InputFormat.CSV)
    return found


def sample(entities: int) -> list[pa.RecordBatch]:
    """Entities of mixed types, the same in each run."""
    dice = random.Random(1)  # noqa: S311  no secret
    make: dict[EdmType, Callable[[str, int], object]] = {
        EdmType.STRING: lambda name, row: f"{name} {row * 7919 % 100_003} Løven",
        EdmType.DOUBLE: lambda name, _: dice.uniform(-90, 90) if name == "Latitude" else dice.uniform(-180, 180),
        EdmType.BOOLEAN: lambda _, row: row % 3 == 0,
        EdmType.INT64: lambda _, __: dice.randrange(10**6),
        EdmType.DATETIME: lambda _, __: dice.randrange(LAST),
    }
    columns = [[make[property_.type](property_.name, row) for row in range(entities)] for property_ in TYPE.properties]
    columns[0] = [str(row) for row in range(entities)]
    batches: list[pa.RecordBatch] = pa.table(columns, TYPE.arrow()).to_batches(max_chunksize=5_000)
    return batches


def write_xml(file: Path, batches: list[pa.RecordBatch]) -> None:
    """An export of the sample."""
    with file.open("wb") as out:
        write_export(TYPE, batches, out, data_source="Bench")


def write_irregular(file: Path, xml: Path) -> None:
    """The same entities in a wrapper with a namespace, with comments, their properties in reverse order."""
    head, schema_end, entities = xml.read_text(encoding="utf-8").partition("</xs:schema>\n")
    *shops, end = entities.split(f"  </{TYPE.name}>\n")
    with file.open("w", encoding="utf-8") as out:
        out.write(f'{head}{schema_end}<Shops xmlns="urn:shops">\n')
        for shop in shops:
            start, *properties = shop.splitlines()
            lines = [f'{start[:-1]} xml:lang="en">', "    <!-- a shop -->", *reversed(properties), f"  </{TYPE.name}>"]
            out.write("\n".join([*lines, ""]))
        out.write(f"</Shops>\n{end}")


def write_csv(file: Path, batches: list[pa.RecordBatch]) -> None:
    """The same entities as CSV, by way of the export's spelling."""
    header = [f"{one.name}({one.type}{',primaryKey' * (one.name == TYPE.key)})" for one in TYPE.properties]
    xml = file.with_suffix(".source")
    write_xml(xml, batches)
    with file.open("w", encoding="utf-8", newline="") as out:
        out.write(f"Bing Spatial Data Services, 1.0, {TYPE.name}\n{','.join(header)}\n")
        writer = csv.writer(out, lineterminator="\n")
        for _, entity in etree.iterparse(xml, tag=TYPE.name, remove_blank_text=True):
            writer.writerow([child.text for child in entity])
            entity.clear()
    xml.unlink()


def load(file: Path, form: InputFormat) -> int:
    """A load, as a worker does it."""
    return sum(batch.entities.num_rows for batch in Loader(file, form, LoadLimits(), incremental=False))


def parse_expat(file: Path) -> None:
    """Expat, without a handler."""
    with file.open("rb") as data:
        expat.ParserCreate().ParseFile(data)


def parse_lxml(file: Path) -> None:
    """What lxml's documents say for large files: an event for each entity, which is cleared."""
    for _, entity in etree.iterparse(file, tag=TYPE.name):
        entity.clear()


def parse_csv(file: Path) -> None:
    """Python's csv, each row thrown away."""
    with file.open(encoding="utf-8", newline="") as data:
        for _ in csv.reader(data):
            pass


def parse_arrow(file: Path) -> None:
    """Pyarrow's CSV, on all processors."""
    names = [property_.name for property_ in TYPE.properties]
    read = pyarrow.csv.ReadOptions(skip_rows=2, column_names=names)
    pyarrow.csv.read_csv(
        file, read, convert_options=pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()))
    )


def write_pieces(file: Path, data: bytes) -> None:
    """The bytes of an export, and nothing else."""
    with file.open("wb") as out:
        for start in range(0, len(data), PIECE):
            out.write(data[start : start + PIECE])


def median(work: Callable[[], object], rounds: int) -> float:
    """Seconds of the middle one of some rounds."""
    seconds = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def megabytes(file: Path, form: InputFormat) -> float:
    """The peak of a process that does this load."""
    command = [sys.executable, "-m", "benchmarks.formats", str(file), form.value]
    measured = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(json.loads(measured.stdout))


if __name__ == "__main__":
    load(Path(sys.argv[1]), InputFormat(sys.argv[2]))
    # Not getrusage: its peak is that of the process before it became this program.
    print(int(re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text()).group(1)) / 1024)  # type: ignore[union-attr]  # Linux has it
