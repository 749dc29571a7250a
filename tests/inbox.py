"""A mailer that keeps what it is given, and what tests ask it."""

import re
import time
from typing import Any

from tests.conftest import Client
from watchword import Watchword
from watchword.mail import Mail

_TOKEN = re.compile(r"#token=(wwo_[A-Za-z0-9_-]{48})$", re.MULTILINE)


class Inbox:
    """Everybody's mail."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []

    async def send(self, mail: Mail) -> None:
        self.mails.append(mail)

    def settle(self, client: Client, auth: Watchword[Any]) -> None:
        """Wait until nothing is left to be sent."""

        async def left() -> bool:
            return bool(await auth.outbox.page())

        assert client.portal is not None
        deadline = time.monotonic() + 10
        while client.portal.call(left):
            assert time.monotonic() < deadline, "mail is not sent"
            time.sleep(0.005)

    def take(self, client: Client, auth: Watchword[Any]) -> list[Mail]:
        """What has come since the last time."""
        self.settle(client, auth)
        taken, self.mails = self.mails, []
        return taken

    def subjects(self, client: Client, auth: Watchword[Any]) -> list[tuple[str, str]]:
        """Who was told what."""
        return sorted((mail.to, mail.subject) for mail in self.take(client, auth))

    def token(self, client: Client, auth: Watchword[Any]) -> str:
        """The token of the one link that has come."""
        (token,) = [token_in(mail) for mail in self.take(client, auth) if _TOKEN.search(mail.text)]
        return token


def token_in(mail: Mail) -> str:
    found = _TOKEN.search(mail.text)
    assert found is not None, mail.text
    return found[1]
