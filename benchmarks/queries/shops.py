"""Data sources of 200,000 entities, written as a worker leaves them, and the targets of their queries."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import quote

from azure.core.exceptions import ResourceExistsError

from adapters.model.data_sources import DataSource, DataSourceVersion
from adapters.model.job_ids import new_job_id
from adapters.model.jobs import BlobPath
from adapters.model.ticks import UNIX_EPOCH
from adapters.tables.data_source_rows import write_data_source
from benchmarks.query_data import ENTITIES, shop_type
from tests.support.live import MASTER
from tests.support.storage import Storage

CONTAINER = "datasources"
ACCESS_ID = "20181f26d9e94c81acdf9496133d4f23"
FILTER = "Brand eq 'brand 3' and Open lt 900 and startswith(City,'city 1') eq true"
_AS_THEY_STAND = "(),'*$"
PLACES = [(latitude, longitude) for latitude in (33, 36, 39, 42) for longitude in (-112, -105, -98, -91, -84)]


@dataclass(frozen=True)
class Shops:
    """A data source in the emulator."""

    storage: Storage
    name: str = "Shops"
    has_shapes: bool = False

    def publish(self, content: bytes) -> None:
        """Publishes a version of these bytes of Parquet: a new blob, and the row that names it."""
        job = new_job_id(UNIX_EPOCH)
        path = BlobPath(CONTAINER, f"{self.storage.account}/{self.name.lower()}/{job}.parquet")
        with suppress(ResourceExistsError):
            self.storage.blobs.create_container(CONTAINER)
        self.storage.blobs.get_blob_client(path.container, path.name).upload_blob(content)
        version = DataSourceVersion(
            job_id=job,
            blob=path,
            entity_type="Shops",
            schema=shop_type(has_shapes=self.has_shapes).to_json(),
            entities=ENTITIES,
            updated=UNIX_EPOCH,
        )
        source = DataSource(name=self.name, access_id=ACCESS_ID, created=UNIX_EPOCH, published=version)
        row = write_data_source(self.storage.account, self.name.lower(), source)
        with self.storage.datasources() as table:
            with suppress(ResourceExistsError):
                table.create_table()
            table.upsert_entity(row)

    def target(self, entity: str = "", **options: str) -> str:
        """The target of a request for one entity, or of a query with these options: `filter` is `$filter`."""
        names = {name: name if name in {"spatialFilter", "key", "jsonp"} else f"${name}" for name in options}
        text = "&".join(f"{names[name]}={quote(value, safe=_AS_THEY_STAND)}" for name, value in options.items())
        one = f"('{quote(entity)}')" if entity else ""
        return f"/REST/v1/data/{ACCESS_ID}/{self.name}/Shops{one}?{text}&key={MASTER}"

    def nearby(self, kilometres: int, **options: str) -> list[str]:
        """The targets of the entities around each of many places."""
        return [
            self.target(spatialFilter=f"nearby({latitude},{longitude},{kilometres})", **{"format": "json"} | options)
            for latitude, longitude in PLACES
        ]

    def intersecting(self, shape: str, **options: str) -> str:
        """The target of the entities that meet a shape."""
        return self.target(spatialFilter=f"intersects('{shape}')", **{"format": "json"} | options)

    @property
    def filtered(self) -> Sequence[str]:
        """The target of three conditions over all entities."""
        return [self.target(filter=FILTER, format="json")]
