"""The state folder of a migration: what is done, written as it goes, so that the next run goes on there.

It holds no key. A file is replaced as a whole, so that a kill at any moment leaves the old or the new one.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from hashlib import sha256
from pathlib import Path
from typing import Any

from proxy.migration.errors import MigrationStoppedError

SCHEMA = 1

LOCK = "lock"

OUTPUTS = "outputs-"
"""The beginning of the names of folders that a job's outputs go through; a killed run leaves them."""


@dataclass
class CopyState:
    """How far the copy of one version is.

    Attributes:
        updated: the service's date of the version that the other members are about.
        download_job: the id of the download job at the service, until its output is fetched.
        load_job: the id of the load here, written before it begins.
        version: the id of the version here that this copy made or found, after it was verified.
        expected: the number of entities that the service counts; 0 where it does not.
        schema, digest, entities, failed, bytes: of the service's file.
        seconds: the time that the copy took.
        is_done: whether `version` was compared with the service's file.
        verdict: what the verification found; empty where both sides are the same.
    """

    updated: str = ""
    download_job: str = ""
    load_job: str = ""
    version: str = ""
    schema: str = ""
    digest: str = ""
    entities: int = 0
    failed: int = 0
    expected: int = 0
    bytes: int = 0
    seconds: float = 0.0
    is_done: bool = False
    verdict: str = ""

    def begin(self, updated: str) -> None:
        """Starts a copy of another version of the data source; what is here already stays known."""
        for each in fields(self):
            if each.name != "version":
                setattr(self, each.name, each.default)
        self.updated = updated


@dataclass
class MigrationState:
    """The state of a migration of one account from one endpoint. `copies` are by names in lower case."""

    folder: Path
    origin: str
    account: str
    copies: dict[str, CopyState] = field(default_factory=dict)
    jobs: set[str] = field(default_factory=set)
    """The ids of finished jobs that are here with their outputs."""

    def copy_of(self, name: str, *, staged: bool) -> CopyState:
        """The state of a data source's published or staged version."""
        return self.copies.setdefault(f"{name.lower()}{' staged' if staged else ''}", CopyState())

    def work_folder(self, name: str, *, staged: bool) -> Path:
        """The folder for the files of one copy, which exists; its name does not depend on what file systems allow."""
        digest = sha256(f"{name.lower()} {staged}".encode()).hexdigest()
        folder = self.folder / f"copy-{digest[:16]}"
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    def save(self) -> None:
        """Writes the state file.

        Raises:
            OSError: the disk is full, or the folder is gone.
        """
        copies = {name: asdict(copy) for name, copy in self.copies.items()}
        content: dict[str, Any] = {"schema": SCHEMA, "from": self.origin, "account": self.account}
        write_private(self.folder / "state.json", json.dumps(content | {"copies": copies, "jobs": sorted(self.jobs)}))


@contextmanager
def open_state(folder: Path, origin: str, account: str) -> Iterator[MigrationState]:
    """Opens a state folder, makes it where it is missing, and holds its lock until the end.

    Raises:
        MigrationStoppedError: another run has it, or it belongs to another migration, or it can't be read, or is none.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (folder / LOCK).exists() and any(folder.iterdir()):  # its mode would change, and files could be removed
        raise MigrationStoppedError(f"--state: {folder} holds other files; name a new or an empty folder")
    folder.chmod(0o700)
    descriptor = os.open(folder / LOCK, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise MigrationStoppedError(f"--state: another run uses {folder}; wait until it has ended") from None
    try:
        for unfinished in folder.glob("*.new"):
            unfinished.unlink()
        for left in folder.glob(f"{OUTPUTS}*"):
            remove_work_folder(left)
        yield _read(folder, origin, account)
    finally:
        os.close(descriptor)


def write_private(file: Path, text: str) -> None:
    """Replaces a file by one that only its owner can read, in one step."""
    new = file.with_name(f"{file.name}.new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(descriptor)
    new.replace(file)


def remove_work_folder(folder: Path) -> None:
    """Removes the files of a copy that is done."""
    shutil.rmtree(folder, ignore_errors=True)


def _read(folder: Path, origin: str, account: str) -> MigrationState:
    file = folder / "state.json"
    if not file.exists():
        return MigrationState(folder, origin, account)
    try:
        content = json.loads(file.read_bytes())
        if content["schema"] != SCHEMA:
            raise MigrationStoppedError(f"{file} is of another version of this program; go on there with that version")
        found = content["from"], content["account"]
        copies = {str(name): _read_copy(copy) for name, copy in content["copies"].items()}
        jobs = {str(each) for each in content["jobs"]}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise MigrationStoppedError(f"{file} can't be read; give another --state, or delete it to begin anew") from None
    if found != (origin, account):
        what = f"a migration from {found[0]} to the account {found[1]}"
        raise MigrationStoppedError(f"--state: {folder} belongs to {what}; give this one another folder")
    return MigrationState(folder, origin, account, copies, jobs)


def _read_copy(members: dict[str, Any]) -> CopyState:
    copy = CopyState(**members)
    if any(not isinstance(getattr(copy, each.name), (type(each.default), int)) for each in fields(copy)):
        raise TypeError
    return copy
