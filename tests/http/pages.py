"""What tests of pages share: a browser without JavaScript, that reads forms and sends them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from typing import Any

from tests.conftest import EMAIL, PASSWORD, Client

_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')
SESSION = "watchword_session"


def fields_of(page: Any) -> dict[str, str]:
    """The hidden fields of a page."""
    return {name: unescape(value) for name, value in _HIDDEN.findall(page.text)}


def send(client: Client, path: str, *, at: str | None = None, **fields: str) -> Any:
    """Look at a page, fill in its form, and send it; redirects are not followed.

    Args:
        client: The browser.
        path: The page.
        at: Where the form leads, if that is elsewhere.
        **fields: What is filled in.
    """
    page = client.get(path)
    assert page.status_code == 200, page.text
    token = fields_of(page)["form_token"]
    return client.post(at or path, data={"form_token": token, **fields}, follow_redirects=False)


def log_in(client: Client, email: str = EMAIL, password: str = PASSWORD, query: str = "") -> Any:
    """Log in at the page; the answer."""
    return send(client, f"/auth/login{query}", email=email, password=password)


def is_logged_in(client: Client) -> bool:
    return bool(client.get("/auth/account", follow_redirects=False).status_code == 200)


def title_of(page: Any) -> str:
    found = re.search(r"<h1>(.*?)</h1>", page.text, re.DOTALL)
    assert found is not None, page.text
    return unescape(found[1].strip())


@contextmanager
def another_browser(client: Client) -> Iterator[Client]:
    """The same app, seen by a browser with no cookies."""
    other = Client(client.app)
    other._transport = client._transport
    other.portal = client.portal
    yield other
