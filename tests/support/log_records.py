"""What one logger of this process has logged: others go on meanwhile, those of servers that outlast a test too."""

import pytest


def texts_of(caplog: pytest.LogCaptureFixture, logger: str) -> list[str]:
    """The messages of the logger of a module, by the module's name."""
    return [record.getMessage() for record in caplog.records if record.name == logger]
