"""An account's whole life in Swagger UI: mail from a real SMTP server, a QR code that is looked at, a second factor."""

import io
import json
import queue
import re
import socket
import time
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pyotp
import pytest
import zxingcpp
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from PIL import Image
from playwright.sync_api import Page, expect
from starlette.types import ASGIApp
from tests.browser.test_swagger import shop
from tests.conftest import EMAIL, PASSWORD, make_settings

from watchword import Watchword

Serve = Callable[[ASGIApp], str]
NEW_PASSWORD = "an entirely different horse"
SENDER = "shop@example.com"
QUICKLY = {"defaultModelsExpandDepth": -1, "filter": "auth", "tryItOutEnabled": True}
"""Swagger draws what it shows anew with each letter that is typed: show less."""


class PostOffice:
    """What an SMTP server was handed."""

    def __init__(self) -> None:
        self.mails: queue.Queue[EmailMessage] = queue.Queue()

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content
        assert isinstance(content, bytes)
        mail = message_from_bytes(content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.put(mail)
        return "250 OK"

    def next(self) -> str:
        """The text of the next mail, which is from us and to Alice."""
        mail = self.mails.get(timeout=10)
        assert (mail["From"].addresses[0].addr_spec, mail["To"]) == (SENDER, EMAIL)
        text = mail.get_body(["plain"])
        assert text is not None
        content: str = text.get_content()
        return content


@pytest.fixture
def smtp() -> Iterator[tuple[str, PostOffice]]:
    """A real SMTP server on the loopback; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    post_office = PostOffice()
    controller = Controller(post_office, hostname="127.0.0.1", port=port)
    controller.start()
    yield f"smtp+plain://127.0.0.1:{port}", post_office
    controller.stop()


class Swagger:
    """The documentation page, and a person in front of it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.is_logged_in = False
        self.sent: set[tuple[str, str]] = set()

    def log_in(self, password: str) -> None:
        """Press Authorize, and Logout first where somebody is logged in."""
        self.page.locator(".auth-wrapper .authorize").first.click()
        dialog = self.page.locator(".dialog-ux")
        if self.is_logged_in:
            dialog.get_by_role("button", name="Remove authorization").first.click()
        self.is_logged_in = True
        # Beside it is the form that leads to our pages.
        form = dialog.locator(".auth-container").filter(has=self.page.get_by_label("username:"))
        form.get_by_label("username:").fill(EMAIL)
        expect(form.get_by_label("password:")).to_have_attribute("type", "password")
        form.get_by_label("password:").fill(password)
        form.get_by_role("button", name="Apply given OAuth2 credentials").click()
        expect(dialog).to_contain_text("Authorized")
        dialog.get_by_role("button", name="Close").first.click()

    def send(self, method: str, path: str, body: dict[str, str] | None = None) -> tuple[int, Any]:
        """Open an operation, try it out, and read what came back."""
        block = self.page.locator(f".opblock-{method}").filter(has=self.page.locator(f'[data-path="{path}"]'))
        block.locator(".opblock-summary-control").click()
        if (method, path) in self.sent:
            block.locator(".btn-clear").click()
        self.sent.add((method, path))
        if body is not None:
            block.locator("textarea.body-param__text").fill(json.dumps(body))
        with self.page.expect_response(lambda answer: answer.url.endswith(path)) as answered:
            block.locator("button.execute").click()
        row = block.locator(".live-responses-table tbody tr.response").first
        status = row.locator(".response-col_status")
        expect(status).to_contain_text(str(answered.value.status))
        shown = row.locator(".response-col_description .highlight-code code")
        told = json.loads(shown.first.inner_text()) if shown.count() else None
        block.locator(".opblock-summary-control").click()
        return answered.value.status, told

    def look_at(self, svg: str) -> str:
        """What a phone reads when it is held before the picture."""
        screen = self.page.context.new_page()
        screen.set_content(f'<body style="background: white"><div style="width: 400px">{svg}</div></body>')
        picture = screen.screenshot()
        screen.close()
        (code,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture)))
        return str(code.text)


def token_in(mail: str) -> str:
    found = re.search(r"token=([\w.~-]+)", mail)
    assert found is not None, mail
    return found[1]


def test_an_account_lives_in_swagger(page: Page, serve: Serve, sqlite_url: str, smtp: tuple[str, PostOffice]) -> None:
    """From the sign-up to a forgotten password, with nothing but what a person has: a browser, a mailbox, a phone."""
    url, mailbox = smtp
    settings = make_settings(sqlite_url, email_verification="required", mail_url=url, mail_from=SENDER)
    base = serve(shop(Watchword(settings), swagger_ui_parameters=QUICKLY))
    swagger = Swagger(page)
    page.goto(f"{base}/docs")

    assert swagger.send("post", "/auth/users", {"email": EMAIL, "password": PASSWORD})[0] == 202
    token = token_in(mailbox.next())
    assert swagger.send("post", "/auth/email/verify", {"token": token})[0] == 204
    assert swagger.send("post", "/auth/email/verify", {"token": token})[0] == 400

    swagger.log_in(PASSWORD)
    assert swagger.send("get", "/auth/me")[1]["email"] == EMAIL
    status, made = swagger.send("post", "/auth/2fa/setup", {"password": PASSWORD})
    assert status == 200, made
    phone = pyotp.parse_uri(swagger.look_at(made["qr_svg"]))
    assert isinstance(phone, pyotp.TOTP)
    assert (phone.name, phone.secret) == (EMAIL, made["secret"])
    status, confirmed = swagger.send("post", "/auth/2fa/confirm", {"code": phone.now()})
    assert status == 200, confirmed
    codes = confirmed["recovery_codes"]
    assert len(set(codes)) == 10

    swagger.log_in(PASSWORD)
    assert swagger.send("get", "/auth/me")[0] == 401, "it waits for its second factor"
    status, tokens = swagger.send("post", "/auth/2fa/verify", {"code": phone.at(int(time.time()) + 30)})
    assert status == 200, tokens
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert page.request.get(f"{base}/mine", headers=headers).json() == {"email": EMAIL}

    swagger.log_in(PASSWORD)
    assert swagger.send("post", "/auth/2fa/verify", {"code": codes[0]})[0] == 200, "the phone is lost"
    swagger.log_in(PASSWORD)
    assert swagger.send("post", "/auth/2fa/verify", {"code": codes[0]})[0] == 400

    assert swagger.send("post", "/auth/password/forgot", {"email": EMAIL})[0] == 202
    new = {"token": token_in(mailbox.next()), "new_password": NEW_PASSWORD}
    assert swagger.send("post", "/auth/password/reset", new)[0] == 204
    assert page.request.get(f"{base}/mine", headers=headers).status == 401
    swagger.log_in(NEW_PASSWORD)
    assert swagger.send("get", "/auth/me")[0] == 401, "a new password is no second factor"
    status, tokens = swagger.send("post", "/auth/2fa/verify", {"code": codes[1]})
    assert status == 200, tokens
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert page.request.get(f"{base}/mine", headers=headers).json() == {"email": EMAIL}
