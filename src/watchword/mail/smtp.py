"""Mail by SMTP."""

from dataclasses import dataclass, field
from email.errors import MessageError
from email.message import EmailMessage
from email.utils import formatdate, make_msgid, parseaddr
from typing import Final, Self
from urllib.parse import unquote, urlsplit

from watchword.mail import Mail, MailNotSent

_SECONDS: Final = 15
_PERMANENT: Final = 500  # RFC 5321 §4.2.1
_PORTS: Final = {"smtp": 587, "smtps": 465, "smtp+plain": 25}


@dataclass(frozen=True, slots=True)
class SmtpMailer:
    """Sends each mail by a connection of its own. Certificates are checked.

    Attributes:
        is_tls: TLS from the first byte (RFC 8314 §3.3).
        starts_tls: TLS by STARTTLS; a server that has none gets nothing (RFC 3207).
    """

    host: str
    port: int
    user: str | None
    password: str | None = field(repr=False)
    is_tls: bool
    starts_tls: bool

    @classmethod
    def of(cls, mail_url: str) -> Self:
        """Read a `MAIL_URL` that the settings have let in."""
        url = urlsplit(mail_url)
        return cls(
            host=url.hostname or "",
            port=url.port or _PORTS[url.scheme],
            user=unquote(url.username) if url.username else None,
            password=unquote(url.password) if url.password else None,
            is_tls=url.scheme == "smtps",
            starts_tls=url.scheme == "smtp",
        )

    async def send(self, mail: Mail) -> None:
        """Send it.

        Raises:
            MailNotSent: The server was not reached, has no TLS, or did not take it.
        """
        import aiosmtplib

        try:
            await aiosmtplib.send(
                _message(mail),
                hostname=self.host,
                port=self.port,
                username=self.user,
                password=self.password,
                use_tls=self.is_tls,
                start_tls=self.starts_tls,
                timeout=_SECONDS,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            codes = [refused.code for refused in error.recipients]
            raise MailNotSent(f"the recipient was refused: {codes}", is_final=min(codes) >= _PERMANENT) from None
        except (aiosmtplib.SMTPException, OSError, ValueError, MessageError) as error:
            raise MailNotSent(f"{type(error).__name__}: {str(error).partition(chr(10))[0]}") from None


def _message(mail: Mail) -> EmailMessage:
    """The message. Its headers refuse line ends, so that no value can add one."""
    message = EmailMessage()
    message["From"] = mail.sender
    message["To"] = mail.to
    message["Subject"] = mail.subject
    message["Date"] = formatdate(usegmt=True)
    message["Message-ID"] = make_msgid(domain=parseaddr(mail.sender)[1].rpartition("@")[2] or None)
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday replies
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    return message
