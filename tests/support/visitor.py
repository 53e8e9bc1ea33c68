"""A browser's cookies and nothing else, by hand: httpx sends none that are Secure to a console on loopback."""

from dataclasses import dataclass, field
from http.cookies import SimpleCookie

import httpx

from tests.support.console import LiveConsole


@dataclass
class Visitor:
    """One browser at a console.

    Args:
        console: the console.
        host: the name by which the browser knows it; by default its own address.
        headers: what a proxy in front adds.
    """

    console: LiveConsole
    host: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    scheme: str = "http"
    cookies: dict[str, str] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        """The origin of the console's pages."""
        return f"{self.scheme}://{self.host or f'127.0.0.1:{self.console.port}'}"

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Asks for a path, or for a URL of this console."""
        return self._send("GET", path.removeprefix(self.origin), headers, None)

    def post(self, path: str, form: dict[str, str], **headers: str) -> httpx.Response:
        """Sends a form of a page of the console."""
        return self._send("POST", path, {"Origin": self.origin} | headers, form)

    def sign_in(self, token: str, **form: str) -> httpx.Response:
        """Signs in by a token."""
        return self.post("/sign-in", {"token": token} | form)

    def _send(self, method: str, path: str, headers: dict[str, str], form: dict[str, str] | None) -> httpx.Response:
        sent = self.headers | headers
        if self.host:
            sent["Host"] = self.host
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        with httpx.Client(timeout=60, verify=False) as client:  # noqa: S501 - the console speaks http
            response = client.request(method, self.console.url + path, headers=sent, data=form)
        for text in response.headers.get_list("set-cookie"):
            for name, morsel in SimpleCookie(text).items():
                if morsel["max-age"] == "0":
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value
        return response
