"""A cluster of PostgreSQL with PostGIS in a temporary folder, as Debian's package postgresql-15-postgis-3 brings it."""

import asyncio
import getpass
import importlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow.csv
import pyarrow.parquet

from benchmarks.query_data import shop_type
from tests.support.processes import free_port

PROGRAMS = Path("/usr/lib/postgresql/15/bin")
EXTENSION = Path("/usr/share/postgresql/15/extension/postgis.control")
SUPERUSER, OWNER = "root", "postgres"

_TYPES = {"String": 'text collate "C"', "Double": "float8", "Int64": "int8", "Boolean": "boolean", "DateTime": "int8"}
_INDEXES = (
    "alter table shops add place geography(Point)",
    'update shops set place = ST_MakePoint("Longitude", "Latitude")::geography',
    'alter table shops add primary key ("EntityID")',
    "create index on shops using gist (place)",
    'create index on shops (lower("Brand"), "Open")',
    'create index on shops (lower("City") text_pattern_ops)',
    'create index on shops ("Open")',
    "vacuum full analyze shops",
)


def missing() -> str:
    """What has to be installed first; empty where all is there."""
    if not EXTENSION.exists():
        return "apt-get install postgresql-15-postgis-3"
    return "" if find_spec("asyncpg") else "pip install asyncpg"


@contextmanager
def start_postgres(blob: Path) -> Iterator[str]:
    """Runs a cluster with the rows of a blob in its table `shops`; yields its address."""
    with TemporaryDirectory(prefix="postgres-") as folder:
        if getpass.getuser() == SUPERUSER:  # PostgreSQL refuses to run as root
            shutil.chown(folder, OWNER, OWNER)
        data, port = Path(folder) / "data", free_port()
        _run("initdb", "--pgdata", str(data), "--username", OWNER, "--auth", "trust", "--no-sync")
        options = f"-p {port} -k {folder} -c shared_buffers=512MB -c jit=off -c listen_addresses=127.0.0.1"
        _run("pg_ctl", "start", "-w", "-D", str(data), "-o", options, "-l", f"{folder}/log")
        try:
            address = f"postgresql://{OWNER}@127.0.0.1:{port}/postgres"
            asyncio.run(_fill(address, blob))
            yield address
        finally:
            _run("pg_ctl", "stop", "-D", str(data), "-m", "immediate")


def _run(program: str, *arguments: str) -> None:
    user = ["runuser", "-u", OWNER, "--"] if getpass.getuser() == SUPERUSER else []
    done = subprocess.run([*user, str(PROGRAMS / program), *arguments], cwd="/", capture_output=True, check=False)
    if done.returncode and program != "pg_ctl":
        raise RuntimeError(f"{program} ended with {done.returncode}: {done.stderr.decode()[-300:]}")


async def _fill(address: str, blob: Path) -> None:
    """Copies the rows by way of CSV, and then makes the indexes."""
    columns = ", ".join(
        f'"{each.name}" {_TYPES[each.type.value.removeprefix("Edm.")]}' for each in shop_type().properties
    )
    connection = await importlib.import_module("asyncpg").connect(address)
    text = blob.with_suffix(".csv")
    try:
        await connection.execute("create extension postgis")
        await connection.execute(f"create table shops ({columns})")
        pyarrow.csv.write_csv(pyarrow.parquet.read_table(blob), text)
        await connection.copy_to_table("shops", source=os.fspath(text), format="csv", header=True)
        for statement in _INDEXES:
            await connection.execute(statement)
    finally:
        text.unlink(missing_ok=True)
        await connection.close()
