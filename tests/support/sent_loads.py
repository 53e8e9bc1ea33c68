"""A browser that sends files to the console's form for loads, and reads the pages about them."""

import time
from dataclasses import dataclass
from typing import Any

import httpx
from lxml import html

from tests.support.console import LiveConsole

SECONDS = 60.0

FIELDS = {"datasourcename": "Shops", "loadoperation": "complete", "input": "csv"}


@dataclass(frozen=True)
class SentPage:
    """The page about a file that was sent."""

    console: LiveConsole
    path: str

    @property
    def tree(self) -> html.HtmlElement:
        """The page as it is now."""
        return self.console.page(self.path)

    @property
    def text(self) -> str:
        """Its text, blanks as one."""
        return " ".join(self.tree.text_content().split())

    @property
    def problem(self) -> str:
        """Why the file can't be loaded; empty where it can."""
        found = self.tree.xpath("string(//*[@role='status']/*[@class='problem'])")
        return str(found).removeprefix("This file can't be loaded. ")

    @property
    def errors(self) -> list[str]:
        """The lines of the error log."""
        return str(self.tree.xpath("string(//pre)")).splitlines()

    @property
    def rows(self) -> list[list[str]]:
        """The first entities, with their head."""
        rows = self.tree.xpath("//*[@aria-label='First entities']//tr")
        return [[cell.text_content() for cell in row] for row in rows]

    @property
    def schema(self) -> list[list[str]]:
        """The names and types of the properties."""
        return [[cell.text_content() for cell in row] for row in self.tree.xpath("//*[@aria-label='Schema']//tbody/tr")]

    def fact(self, name: str) -> str:
        """One of the facts."""
        found = self.tree.xpath("//dt[text()=$name]/following-sibling::dd", name=name)
        return " ".join(found[0].text_content().split())

    @property
    def can_load(self) -> bool:
        """Whether the page has the button."""
        return bool(self.tree.xpath("//main//form[@method='post']"))

    def press(self) -> httpx.Response:
        """Presses the button."""
        return self.console.confirm(self.path)

    def load(self) -> str:
        """Presses the button, and returns the id of the job that the browser is led to."""
        response, end = self.press(), time.monotonic() + SECONDS
        assert response.status_code == 303, response.text
        while response.headers.get("Location", self.path) == self.path and time.monotonic() < end:
            time.sleep(0.1)
            response = self.console.get(self.path)
        target, _, notice = response.headers["Location"].partition("?")
        assert notice == "notice=created"
        return str(target.rsplit("/", 1)[1])

    def wait(self) -> "SentPage":
        """Follows the page until the console has read the file."""
        end = time.monotonic() + SECONDS
        while self.tree.xpath("//*[@id='load']/@hx-get"):
            assert time.monotonic() < end, self.text
            time.sleep(0.1)
        return self


def post_file(
    console: LiveConsole, account: str, data: bytes, *, name: str = "shops.csv", csrf: str | None = None, **fields: Any
) -> httpx.Response:
    """Sends the form as a browser does."""
    form = FIELDS | {"account": account, "csrf": console.csrf("/load") if csrf is None else csrf} | fields
    return console.client.post(
        f"{console.url}/load/preview", data=form, files={"file": (name, data)}, headers={"Origin": console.url}
    )


def send_file(console: LiveConsole, account: str, data: bytes, **fields: Any) -> SentPage:
    """Sends a file that is taken, and waits until it is read."""
    response = post_file(console, account, data, **fields)
    assert response.status_code == 303, response.text
    return SentPage(console, response.headers["Location"]).wait()
