"""A version's file is whole and right, or an error that says so."""

import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.model.versions import DamagedVersionError
from proxy.query import columns
from proxy.query.conversion import convert_blob
from proxy.query.engine import run_query
from proxy.query.query import Query
from proxy.query.version_file import VersionFile, VersionFileWriter
from tests.unit.query.engine.queries import SHAPES
from tests.unit.query.engine.versions import (
    ENTITY_TYPE,
    PLAIN_TYPE,
    SCHEMA,
    SOURCE,
    Row,
    make_version,
    proceed,
    write_blob,
)

ALL = Query(members=SCHEMA.properties, top=250)
SHAPE = SHAPES[2].wkb
ROWS: list[Row] = [
    {"Id": f"{number}", "Name": f"Name {number % 7}", "Size": number, "latitude": number / 10, "Shape": SHAPE}
    for number in range(100)
]


def ids(version: VersionFile) -> list[str]:
    return list(run_query(version, ALL, proceed).ids)


def test_rows_are_in_the_order_of_their_ids_by_code_points(tmp_path: Path) -> None:
    shuffled = ["\U0001f600", "a", "-7920", "\uffff", "B", "-7884", "\u00e9", "-7891"]
    expected = ["-7884", "-7891", "-7920", "B", "a", "\u00e9", "\uffff", "\U0001f600"]
    assert ids(make_version(tmp_path, [{"Id": id_} for id_ in shuffled])) == expected


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="only Linux shows the pages of a mapped file")
def test_released_pages_leave_the_process_and_come_back(tmp_path: Path) -> None:
    version = make_version(tmp_path, ROWS)
    expected = ids(version)
    assert resident_kilobytes(version) > 0
    version.release_pages()
    assert resident_kilobytes(version) == 0
    assert ids(version) == expected
    assert resident_kilobytes(version) > 0


def resident_kilobytes(version: VersionFile) -> int:
    """The memory of this process that is pages of the file."""
    text = Path("/proc/self/smaps").read_text(encoding="utf-8")
    return sum(
        int(size) for size in re.findall(rf"{re.escape(str(version.file))}\nSize:.*?\nRss: +(\d+) kB", text, re.DOTALL)
    )


def test_a_version_without_entities_has_an_empty_answer(tmp_path: Path) -> None:
    assert ids(make_version(tmp_path, [])) == []


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(place=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_a_damaged_file_is_an_error_or_answers_the_same(tmp_path: Path, place: float, flip: int) -> None:
    good = make_version(tmp_path, ROWS)
    expected = run_query(good, ALL, proceed)
    data = bytearray(good.file.read_bytes())
    data[int(place * len(data))] ^= flip
    damaged = tmp_path / "damaged.arrow"
    damaged.write_bytes(data)
    try:
        found = run_query(VersionFile(damaged, SOURCE), ALL, proceed)
    except DamagedVersionError:
        return
    assert found == expected  # the byte is between columns


@pytest.mark.parametrize("part", [0, 1, 15, 16, 1000, -1])
def test_a_file_that_is_cut_is_an_error(tmp_path: Path, part: int) -> None:
    file = make_version(tmp_path, ROWS).file
    cut = tmp_path / "cut.arrow"
    cut.write_bytes(file.read_bytes()[:part])
    with pytest.raises(DamagedVersionError, match=r"cut\.arrow"):
        VersionFile(cut, SOURCE)


@pytest.mark.parametrize("content", [b"PAR1" * 1000, b"ARROW1\0\0" * 1000, bytes(5000)])
def test_another_kind_of_file_is_an_error(tmp_path: Path, content: bytes) -> None:
    other = tmp_path / "other.arrow"
    other.write_bytes(content)
    with pytest.raises(DamagedVersionError, match="another file"):
        VersionFile(other, SOURCE)


def test_the_file_of_another_source_is_an_error(tmp_path: Path) -> None:
    file = make_version(tmp_path, ROWS).file
    with pytest.raises(DamagedVersionError, match="data/other"):
        VersionFile(file, "data/other.parquet")


def test_a_file_that_is_deleted_while_open_answers_on(tmp_path: Path) -> None:
    version = make_version(tmp_path, ROWS)
    version.file.unlink()
    assert len(ids(version)) == len(ROWS)


def test_a_file_that_is_replaced_while_open_answers_on(tmp_path: Path) -> None:
    version = make_version(tmp_path, ROWS)
    other = make_version(tmp_path, ROWS[:1])
    assert len(ids(version)) == len(ROWS)
    assert ids(other) == ["0"]


def test_a_file_that_is_cut_while_open_is_an_error_and_does_not_end_the_process(tmp_path: Path) -> None:
    version = make_version(tmp_path, ROWS)
    ids(version)
    os.truncate(version.file, 100)
    with pytest.raises(DamagedVersionError, match="was cut from"):
        ids(version)


def test_a_file_that_is_written_to_while_open_is_an_error(tmp_path: Path) -> None:
    version = make_version(tmp_path, ROWS)
    ids(version)
    with version.file.open("r+b") as file:
        file.write(bytes(version.mapped_bytes))
    os.utime(version.file, ns=(0, 1))  # its date is another one on clocks of any step
    with pytest.raises(DamagedVersionError, match="damaged in column"):
        ids(version)


def test_a_file_that_is_touched_while_open_answers_on(tmp_path: Path) -> None:
    version = make_version(tmp_path, ROWS)
    ids(version)
    os.utime(version.file, ns=(0, 1))
    assert len(ids(version)) == len(ROWS)


def test_writers_at_the_same_time_leave_one_whole_file(tmp_path: Path) -> None:
    blob, file = write_blob(tmp_path, ROWS), tmp_path / "version.arrow"

    def convert(_: int) -> list[str]:
        convert_blob(blob, file, SOURCE, SCHEMA)
        return ids(VersionFile(file, SOURCE))

    with ThreadPoolExecutor(4) as threads:
        assert all(len(found) == len(ROWS) for found in threads.map(convert, range(8)))
    assert sorted(each.name for each in tmp_path.iterdir()) == ["blob.parquet", "version.arrow"]


def test_a_writer_that_fails_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), VersionFileWriter(tmp_path / "version.arrow", SOURCE):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("part", [0, 10, 1000, -1, -100])
def test_a_blob_that_is_cut_is_an_error_and_leaves_no_file(tmp_path: Path, part: int) -> None:
    blob = write_blob(tmp_path, ROWS)
    blob.write_bytes(blob.read_bytes()[:part])
    with pytest.raises(DamagedVersionError, match="Parquet"):
        convert_blob(blob, tmp_path / "version.arrow", SOURCE, SCHEMA)
    assert list(tmp_path.iterdir()) == [blob]


def test_a_damaged_blob_is_an_error_and_leaves_no_file(tmp_path: Path) -> None:
    blob = write_blob(tmp_path, ROWS)
    data = bytearray(blob.read_bytes())
    data[20:600] = bytes(580)
    blob.write_bytes(data)
    with pytest.raises(DamagedVersionError, match="Parquet"):
        convert_blob(blob, tmp_path / "version.arrow", SOURCE, SCHEMA)
    assert list(tmp_path.iterdir()) == [blob]


def test_a_blob_with_other_columns_than_its_schema_is_an_error(tmp_path: Path) -> None:
    blob = write_blob(tmp_path, [{"Id": "1"}], PLAIN_TYPE)
    with pytest.raises(DamagedVersionError, match="stored schema says"):
        convert_blob(blob, tmp_path / "version.arrow", SOURCE, SCHEMA)


def test_a_folder_that_is_gone_is_an_operating_system_error(tmp_path: Path) -> None:
    blob = write_blob(tmp_path, ROWS)
    with pytest.raises(OSError, match="gone"):
        convert_blob(blob, tmp_path / "gone" / "version.arrow", SOURCE, SCHEMA)


def test_texts_in_lower_case_are_a_column_only_where_they_differ(tmp_path: Path) -> None:
    version = make_version(tmp_path, [{"Id": "a", "Name": "b", "Note": "B"}])
    assert columns.LOWER + "Name" not in version
    assert columns.LOWER + "Note" in version


def test_an_open_file_counts_its_memory(tmp_path: Path) -> None:
    version = make_version(tmp_path, ROWS)
    assert version.mapped_bytes == version.file.stat().st_size
    assert 0 < version.private_bytes < 100_000


def test_all_property_types_of_a_schema_are_converted() -> None:
    assert {each.type for each in SCHEMA.properties} == {
        each.type.removeprefix("Edm.") for each in ENTITY_TYPE.properties
    }
