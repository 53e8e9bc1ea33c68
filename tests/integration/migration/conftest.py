"""Two accounts in one Azurite: the service's, and the one that it moves to."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from proxy.demo.azurite import Emulator
from tests.support.migrate_command import MigrateCommand
from tests.support.migration_service import Service, run_service
from tests.support.storage import Storage
from tests.support.worker_desk import shops


@pytest.fixture(scope="module")
def filled(emulator: Emulator) -> Iterator[Service]:
    """A service that its tests only read: data sources, one of them staged and loaded twice, and a geocode job."""
    with Storage.open(emulator, f"theirs-{uuid4().hex[:12]}") as opened, run_service(opened) as running:
        running.load("Shops", shops("old"))
        running.load("Shops", shops("1", "2", "3", note="now"), description="spring prices")
        running.load("Shops", shops("1", note="soon"), loadOperation="completeStaging", description="summer prices")
        running.load("Open-Shops", setPublic="1")
        running.geocoded()
        yield running


@pytest.fixture(scope="module")
def emptied(emulator: Emulator) -> Iterator[Service]:
    """A service that each test fills with data sources of its own names, so that it need not start again."""
    with Storage.open(emulator, f"theirs-{uuid4().hex[:12]}") as opened, run_service(opened) as running:
        yield running


@pytest.fixture
def service(emptied: Service) -> Service:
    """The service, without data sources and jobs."""
    emptied.clear()
    return emptied


@pytest.fixture
def migrate(storage: Storage, tmp_path: Path) -> MigrateCommand:
    """Runs `migrate` from a service to the test's account."""
    return MigrateCommand(storage, tmp_path)
