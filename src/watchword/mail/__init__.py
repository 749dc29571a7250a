"""Mail: what is sent, and who sends it.

A host that sends mail by another way than SMTP hands over a `Mailer`: `Watchword(mailer=…)`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail, as text and as HTML.

    Attributes:
        sender: `Example <login@example.com>`, or an address alone.
        to: An address.
        subject: One line.
    """

    sender: str
    to: str
    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)


class MailNotSent(Exception):
    """A mail could not be sent; it will be tried again.

    Args:
        reason: For the log and for operators. Never a part of the mail.
        is_final: Nobody will ever take it: there is no such recipient.
    """

    def __init__(self, reason: str, *, is_final: bool = False) -> None:
        super().__init__(reason)
        self.is_final = is_final


class Mailer(Protocol):
    """A way to send mail."""

    async def send(self, mail: Mail) -> None:
        """Hand a mail over to whoever delivers it.

        Raises:
            MailNotSent: It was not taken. Of any other error the log tells the name alone.
        """
        ...


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail before it has words: whom it is for, and what its template is filled with.

    Attributes:
        kind: The name of the template.
        to: An address; None for a letter to nobody, which is written so that a request takes as long as any other.
    """

    kind: str
    to: str | None
    values: Mapping[str, Any] = field(default_factory=dict, repr=False)
