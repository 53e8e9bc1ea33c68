"""Queries over the contract's two data sources, loaded as a load job does, and answered without HTTP."""

import json
from pathlib import Path
from urllib.parse import unquote_to_bytes

from adapters.model.ticks import parse_ticks
from proxy.formats.limits import LoadLimits
from proxy.formats.loader import InputFormat, Loader
from proxy.formats.parquet import EntityWriter
from proxy.query.answer import Answer
from proxy.query.areas import require_resolved
from proxy.query.conversion import convert_blob
from proxy.query.engine import run_query
from proxy.query.render import render
from proxy.query.request import parse_request
from proxy.query.schema import Schema
from proxy.query.version_file import VersionFile

DATA = Path(__file__).parent / "data"
BASE = "https://spatial.example.com"
ACCESS_ID = "20181f26d9e94c81acdf9496133d4f23"
COPYRIGHT = (
    "\u00a9 2026 Microsoft and its suppliers.  This API and any results cannot be used or accessed without Microsoft's"
    " express written permission."
)
NOW = parse_ticks("2026-11-27T02:00:00.1234567Z")
FILES = {"FourthCoffeeSample": "FourthCoffee.txt", "AreasSample": "Areas.txt"}


class NotFoundError(Exception):
    """What is answered by 404."""


class Source:
    """One loaded data source."""

    def __init__(self, name: str, folder: Path) -> None:
        loader = Loader(DATA / FILES[name], InputFormat.PIPE, LoadLimits(), incremental=False)
        blob, file = folder / f"{name}.parquet", folder / f"{name}.query"
        with EntityWriter(blob, loader.entity_type.arrow(), _geography(loader)) as writer:
            for batch in loader:
                writer.write(batch.entities)
        self.name = name
        self.schema = Schema.from_json(loader.entity_type.to_json())
        convert_blob(blob, file, name, self.schema)
        self.version = VersionFile(file, name)

    def answer(self, request: str) -> bytes:
        """The body that answers what follows the data source's name in a URL.

        Raises:
            QueryError: it is refused by 400.
            NotFoundError: there is no such entity type or entity.
        """
        segment, _, query = request.partition("?")
        parsed = parse_request(_decode(segment), parse_parameters(query))
        if parsed.entity_type.lower() != self.schema.name.lower():
            raise NotFoundError(parsed.entity_type)
        bound = parsed.bind(self.schema)
        require_resolved(bound.area)
        result = run_query(self.version, bound, lambda: None)
        if bound.entity_id is not None and not result.ids:
            raise NotFoundError(bound.entity_id)
        answer = Answer(
            base=BASE,
            access_id=ACCESS_ID,
            data_source=self.name,
            entity_type=self.schema.name,
            copyright=COPYRIGHT,
            now=NOW,
            guid="{guid}",
            is_single=bound.entity_id is not None,
        )
        return render(result, answer, parsed.form)


def load_sources(folder: Path) -> dict[str, Source]:
    """The data sources by the names of their entity types in lower case."""
    sources = [Source(name, folder) for name in FILES]
    return {source.schema.name.lower(): source for source in sources}


def parse_parameters(query: str) -> dict[str, str]:
    """The first value of each parameter, by its name in lower case, as the server reads them."""
    found: dict[str, str] = {}
    for pair in query.replace("+", " ").split("&"):
        name, _, value = pair.partition("=")
        found.setdefault(_decode(name).lower(), _decode(value))
    return found


def read_vectors() -> list[dict[str, object]]:
    """The contract's vectors."""
    vectors: list[dict[str, object]] = json.loads((DATA / "vectors.json").read_text("utf-8"))
    return vectors


def _decode(text: str) -> str:
    return unquote_to_bytes(text).decode("utf-8", "replace")


def _geography(loader: Loader) -> str | None:
    at = loader.entity_type.geography()
    return None if at is None else loader.entity_type.properties[at].name
