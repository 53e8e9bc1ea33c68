"""Debian's Chromium, driven by the DevTools protocol over a pipe, which needs no package."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

SECONDS = 60.0

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@dataclass
class Page:
    """A tab: what it shows, and each error that its console has had."""

    commands: IO[bytes] = field(repr=False)
    events: IO[bytes] = field(repr=False)
    session: str = ""
    errors: list[str] = field(default_factory=list)
    _number: int = 0

    def send(self, method: str, **parameters: object) -> dict[str, Any]:
        """Sends a command, and returns its result. Events that come first are looked at for errors.

        Raises:
            AssertionError: the browser refuses it, or is gone.
        """
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        self.commands.write(json.dumps(message).encode() + b"\0")
        self.commands.flush()
        while True:
            received = self._receive()
            if received.get("id") == self._number:
                assert "error" not in received, received
                return dict(received["result"])
            self._note(received)

    def _receive(self) -> dict[str, Any]:
        text = bytearray()
        while (byte := self.events.read(1)) != b"\0":
            assert byte, "the browser is gone"
            text += byte
        return dict(json.loads(text))

    def _note(self, event: dict[str, Any]) -> None:
        kind, about = event.get("method"), event.get("params", {})
        if kind == "Runtime.exceptionThrown":
            self.errors.append(about["exceptionDetails"]["text"])
        if kind == "Runtime.consoleAPICalled" and about["type"] in {"error", "warning", "assert"}:
            self.errors.append(str(about["args"]))
        if kind == "Log.entryAdded" and about["entry"]["level"] in {"error", "warning"}:
            self.errors.append(about["entry"]["text"])

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression in the page."""
        result = self.send("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def wait_for(self, script: str) -> Any:
        """The value of an expression when it is true.

        Raises:
            AssertionError: it is not within SECONDS.
        """
        end = time.monotonic() + SECONDS
        while not (value := self.run(script)):
            assert time.monotonic() < end, (script, self.run("document.body.innerText"), self.errors)
            time.sleep(0.05)
        return value

    def open(self, url: str) -> None:
        """Goes to a page."""
        self.send("Page.navigate", url=url)


@contextmanager
def browsing(program: str, profile: Path) -> Iterator[Page]:
    """Runs a browser with one empty tab until the block ends."""
    flags = ["--headless=new", "--remote-debugging-pipe", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage"]
    flags += ["--no-sandbox", "--disable-extensions", "--disable-component-update", "--disable-background-networking"]
    commands_out, commands_in = os.pipe()
    events_out, events_in = os.pipe()
    # The browser reads commands from descriptor 3 and writes events to 4.
    shell = f'exec "$@" 3<&{commands_out} 4>&{events_in}'
    with (
        subprocess.Popen(
            ["bash", "-c", shell, "browser", program, *flags, f"--user-data-dir={profile}", "about:blank"],
            pass_fds=(commands_out, events_in),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process,
        open(commands_in, "wb") as commands,  # noqa: PTH123 - a descriptor has no path
        open(events_out, "rb") as events,  # noqa: PTH123 - the same
    ):
        os.close(commands_out)
        os.close(events_in)
        try:
            page = Page(commands, events)
            target = page.send("Target.createTarget", url="about:blank")["targetId"]
            page.session = page.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            for domain in ("Page", "Runtime", "Log"):
                page.send(f"{domain}.enable")
            yield page
            page.session = ""
            page.send("Browser.close")
            process.wait(SECONDS)
        finally:
            process.kill()
