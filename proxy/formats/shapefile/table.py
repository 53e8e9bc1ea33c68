"""The attributes of a shapefile: a .dbf table of dBase or FoxPro, record by record, as texts that the rules read."""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import IO

from proxy.formats.limits import MAX_PROPERTIES
from proxy.formats.schema import EdmType, InvalidDataError

_HEADER, _FIELD = 32, 32
_FIELDS_END = 0x0D
_LEVEL, _DBASE_7 = 0x07, 4
_DELETED = b"*"
_LONGEST_INT64 = 18
_JULIAN_DAY = 1_721_425  # that of the day before 0001-01-01
_LARGEST_EXACT = 2**53
_DAY = 86_400_000  # milliseconds
_SHOWN = 50
_PADDING = " \0\t\r\n"

Read = Callable[[bytes], str | None]


@dataclass(frozen=True, slots=True)
class Field:
    """A column: its name as the file has it, the type of its values, and how to read one."""

    name: str
    type: EdmType
    length: int
    read: Read


Record = list[str | None] | str
"""The texts of a record's fields, None where there is no value; or the reason, where it can't be read."""


class TableReader:
    """Reads a .dbf file; `fields` are its columns, and `count` the number of records that its header promises.

    `code_page_of` gives Python's name of the code page for the header's language id.

    Raises:
        InvalidDataError: the file is no table, or has a field of a type that is not read.
    """

    def __init__(self, file: IO[bytes], code_page_of: Callable[[int], str]) -> None:
        self._file = file
        header = file.read(_HEADER)
        if len(header) < _HEADER:
            raise InvalidDataError("the .dbf file is cut off: it has no whole header")
        version, self.count, header_size, self._size, language = struct.unpack("<B3xIHH17xB2x", header)
        # Some say 4 for dBase IV too, whose fields have 32 bytes.
        if version & _LEVEL == _DBASE_7 and (header_size - _HEADER - 1) % _FIELD:
            raise InvalidDataError("the .dbf file is a table of dBase 7; save it as one of dBase III or IV")
        self._encoding = code_page_of(language)
        self.fields = self._read_fields(file.read(max(0, header_size - _HEADER)))
        if header_size < _HEADER or self._size < 1 + sum(field.length for field in self.fields):
            raise InvalidDataError("the header of the .dbf file is broken: its sizes don't fit its fields")
        self._start = header_size

    def __iter__(self) -> Iterator[Record]:
        """Each record that the header promises, until the file ends."""
        self._file.seek(self._start)
        for _ in range(self.count):
            data = self._file.read(self._size)
            if len(data) < self._size:
                if data.strip(b"\x1a\0 "):
                    yield "has attributes that are cut off: the .dbf file ends in them"
                return
            yield "is marked as deleted" if data[:1] == _DELETED else self._record(data)

    def _record(self, data: bytes) -> Record:
        texts: list[str | None] = []
        at = 1
        for field in self.fields:
            try:
                texts.append(field.read(data[at : at + field.length]))
            except ValueError as error:
                return f"{field.name} {error}"
            at += field.length
        return texts

    def _read_fields(self, data: bytes) -> list[Field]:
        fields: list[Field] = []
        for at in range(0, len(data) - _FIELD + 1, _FIELD):
            if data[at] == _FIELDS_END:
                break
            if len(fields) > MAX_PROPERTIES + 1:  # Latitude and Longitude are allowed beside
                raise InvalidDataError(f"the .dbf file has more than {MAX_PROPERTIES} fields")
            fields.append(self._field(data[at : at + _FIELD]))
        # Clipper has the higher part of a text's length where others have the number of decimals.
        higher = [256 * data[_FIELD * place + 17] * (field.read == self._text) for place, field in enumerate(fields)]
        if 1 + sum(higher) + sum(field.length for field in fields) == self._size:
            fields = [replace(field, length=field.length + more) for field, more in zip(fields, higher, strict=True)]
        return fields

    def _field(self, data: bytes) -> Field:
        name = data[:11].split(b"\0")[0].decode(self._encoding, "replace").strip()
        letter, length, decimals = chr(data[11]), data[16], data[17]
        if letter == "C":
            return Field(name, EdmType.STRING, length, self._text)
        if letter in {"N", "F"}:
            whole = letter == "N" and not decimals and length <= _LONGEST_INT64
            return Field(name, EdmType.INT64 if whole else EdmType.DOUBLE, length, _whole if whole else _number)
        type_, sizes, read = _OTHERS.get(letter, (EdmType.STRING, (), _number))
        if length not in sizes:
            shown = letter if letter.isascii() and letter.isprintable() else f"0x{ord(letter):02X}"
            raise InvalidDataError(
                f"the field {name[:_SHOWN]} of the .dbf file is of the type {shown} ({length} bytes), which is not "
                "read; remove it, or change it to text (C), a number (N) or a date (D)"
            )
        return Field(name, type_, length, read)

    def _text(self, data: bytes) -> str | None:
        try:
            return data.decode(self._encoding).strip(_PADDING) or None
        except UnicodeDecodeError as error:
            shown = data.decode(self._encoding, "backslashreplace").strip(_PADDING)[:_SHOWN]
            wrong = " ".join(f"{byte:02X}" for byte in error.object[error.start : error.end])
            raise ValueError(f"has bytes ({wrong}) that are not in the code page {self._encoding}: {shown}") from error


def _ascii(data: bytes) -> str:
    return data.partition(b"\0")[0].decode("ascii", "backslashreplace").strip()


def _number(data: bytes) -> str | None:
    text = _ascii(data)
    return text if text.strip("*") else None  # asterisks: what did not fit


def _whole(data: bytes) -> str | None:
    """Also `12.0`: some programs write decimals whatever the header says."""
    text = _number(data)
    try:
        number = float(text or "-")
    except ValueError:
        return text
    exact = "." in (text or "") and number.is_integer() and abs(number) < _LARGEST_EXACT
    return str(int(number)) if exact else text


def _date(data: bytes) -> str | None:
    text = _ascii(data)
    if not text.strip("0"):
        return None
    return f"{text[:4]}-{text[4:6]}-{text[6:]}T00:00:00Z" if len(text) == 8 and text.isdigit() else text  # noqa: PLR2004  yyyymmdd


def _flag(data: bytes) -> str | None:
    text = _ascii(data).strip("?")
    return {**dict.fromkeys("YyTt1", "true"), **dict.fromkeys("NnFf0", "false")}.get(text, text) or None


def _moment(data: bytes) -> str | None:
    if not data.strip(b" ") or not any(data):
        return None
    day, milliseconds = struct.unpack("<2I", data)
    try:
        made = date.fromordinal(day - _JULIAN_DAY)
    except (ValueError, OverflowError):
        made = None
    if made is None or milliseconds >= _DAY:
        raise ValueError(f"has bytes that are no date and time: {data.hex(' ')}")
    seconds, rest = divmod(milliseconds, 1000)
    return f"{made.isoformat()}T{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:03}Z"


def _integer(data: bytes) -> str:
    return str(int.from_bytes(data, "little", signed=True))


def _double(data: bytes) -> str:
    return repr(struct.unpack("<d", data)[0])


def _money(data: bytes) -> str:
    amount = int.from_bytes(data, "little", signed=True)
    whole, rest = divmod(abs(amount), 10_000)
    return f"{'-' * (amount < 0)}{whole}.{rest:04}"


# Type, the lengths that such a field may have, and how to read it. A B of 10 bytes is a memo of dBase.
_OTHERS: dict[str, tuple[EdmType, tuple[int, ...], Read]] = {
    "L": (EdmType.BOOLEAN, (1,), _flag),
    "D": (EdmType.DATETIME, (8,), _date),
    "T": (EdmType.DATETIME, (8,), _moment),
    "I": (EdmType.INT64, (4,), _integer),
    "B": (EdmType.DOUBLE, (8,), _double),
    "Y": (EdmType.DOUBLE, (8,), _money),
}
