"""The files of a fuzz: each number is one file, always the same for the same seed."""

import gzip
import random
import zipfile
from dataclasses import dataclass

from benchmarks.fuzz.counting import markup_records, shapefile_records, text_records
from benchmarks.fuzz.maps import kml_file, sound_set
from benchmarks.fuzz.mutations import changed_inside, damaged
from benchmarks.fuzz.tables import SEPARATORS, Table, spelled, table, update
from tests.unit.formats.loading import xml_of, zipped
from tests.unit.formats.samples import DELIMITED, FOURTH_COFFEE, separated

_WRAPPED_XML = xml_of(
    "<Set><Shops><EntityID>1</EntityID><Open>1</Open><Latitude>1</Latitude><Longitude>2</Longitude></Shops></Set><Shops/>",
    *("Open:long", "Latitude:double", "Longitude:double"),
).replace(b"UTF-8", b"windows-1252")
_SAMPLES = {"xml": (FOURTH_COFFEE, _WRAPPED_XML), "csv": (DELIMITED.encode(),)} | {
    form: (separated(by),) for form, by in SEPARATORS.items() if form != "csv"
}
TEXTS = (*SEPARATORS, "xml")
KINDS = (*TEXTS, "kml", "kmz", "shp")


@dataclass(frozen=True, slots=True)
class Broken:
    """One file: its kind, the form that it is loaded as, and its bytes.

    `base` is the sound file that it updates, where it is an incremental load. `records` is how many entities its
    bytes hold at a simple count, None where a simple count can't tell.
    """

    kind: str
    form: str
    data: bytes
    base: bytes | None = None
    records: int | None = None


def broken(number: int, seed: int) -> Broken:
    """The file of a number."""
    dice = random.Random(f"{seed} {number}")  # noqa: S311 - no secret
    kind = KINDS[number % len(KINDS)]
    if kind == "shp":
        return _shapefile(dice)
    if kind in TEXTS and dice.random() < 0.15:
        return _update(kind, dice)
    return _wrapped(kind, _plain(kind, dice), dice)


def _plain(kind: str, dice: random.Random) -> bytes:
    sound = _sound(kind, dice) if kind in TEXTS else kml_file(dice)
    if dice.random() < 0.5:
        return changed_inside(sound, dice, markup=kind not in SEPARATORS)
    other = _sound(dice.choice([kind, *TEXTS]), dice) if kind in TEXTS else kml_file(dice)
    return damaged(sound, other, dice, text=True)


def _sound(form: str, dice: random.Random) -> bytes:
    return dice.choice(_SAMPLES[form]) if dice.random() < 0.2 else spelled(table(dice), form, dice)


def _update(form: str, dice: random.Random) -> Broken:
    base = table(dice)
    rows = spelled(update(dice, base), form, dice)
    sound = spelled(Table(base.columns, base.rows), form, dice)
    chance = dice.random()
    if chance < 0.4:
        rows = damaged(rows, sound, dice, text=True)
    elif chance < 0.9:
        rows = changed_inside(rows, dice, markup=form == "xml")
    return Broken(f"{form}, update", form, rows, base=sound)


def _wrapped(kind: str, data: bytes, dice: random.Random) -> Broken:
    """The file as it is, in UTF-16, packed, and maybe damaged on its way; or sent as another form than it is."""
    form = "kml" if kind == "kmz" else kind
    chance = dice.random()
    if kind == "kmz":
        files = [("doc.kml", data), ("b.kml", data), ("files/a.png", b"\x89PNG")]
        data = zipped(*dice.sample(files, dice.randrange(1, 4)), method=dice.choice(_METHODS))
        return Broken(kind, form, _on_its_way(data, dice) if chance < 0.5 else data)
    if chance < 0.7:
        records = text_records(data, form) if kind in SEPARATORS else markup_records(data, form)
        return Broken(kind, form, data, records=records)
    if chance < 0.78:
        text = data.decode("utf-8", "replace").replace("UTF-8", "utf-16")
        encoded = text.encode(dice.choice(["utf-16", "utf-16-le", "utf-16-be"]))
        return Broken(f"{kind}, UTF-16", form, _on_its_way(encoded, dice))
    if chance < 0.87:
        return Broken(f"{kind}, gzip", form, _on_its_way(gzip.compress(data, 1, mtime=0), dice))
    if chance < 0.96:
        return Broken(
            f"{kind}, ZIP", form, _on_its_way(zipped((f"a.{form}", data), method=dice.choice(_METHODS)), dice)
        )
    return Broken(f"{kind}, sent as another form", dice.choice([*TEXTS, "kml", "shp"]), data)


_METHODS = (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED)


def _on_its_way(data: bytes, dice: random.Random) -> bytes:
    return damaged(data, data[::-1], dice, text=False) if dice.random() < 0.5 else data


def _shapefile(dice: random.Random) -> Broken:
    sound, other = sound_set(dice), sound_set(dice)
    records = None
    parts = dict(sound)
    if dice.random() < 0.9:
        hit = dice.choice(["shp", "dbf", "dbf", *parts])
        parts[hit] = damaged(parts[hit], other.get(hit, b"UTF-8"), dice, text=hit in {"prj", "cpg"})
        if hit == "dbf":
            records = shapefile_records(sound["shp"], parts["dbf"])
    packed = zipped(*((f"a.{suffix}", data) for suffix, data in parts.items()), method=dice.choice(_METHODS))
    if dice.random() < 0.15:
        packed, records = damaged(packed, packed[::-1], dice, text=False), None
    return Broken("shp", "shp", packed, records=records)
