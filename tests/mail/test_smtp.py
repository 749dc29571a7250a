"""Mail over SMTP, against a real server: TLS or nothing, a server that is down or says no."""

import datetime as dt
import ipaddress
import socket
import ssl
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import anyio
import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from watchword.mail import Mail, MailNotSent
from watchword.mail.smtp import SmtpMailer

pytestmark = pytest.mark.anyio

MAIL = Mail("The Shop <shop@example.com>", "alice@example.com", "Grüße", "Text\n", "<p>HTML</p>")
Serve = Callable[..., AbstractAsyncContextManager["Server"]]


class Server:
    """What it was handed, and where it is."""

    def __init__(self, refuses: str | None = None) -> None:
        self.received: list[EmailMessage] = []
        self.envelopes: list[Envelope] = []
        self.was_encrypted: list[bool] = []
        self.users: list[tuple[bytes, bytes]] = []
        self.refuses = refuses
        self.port = 0

    def authenticate(self, _server: SMTP, _session: Session, _envelope: Envelope, _how: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.users.append((data.login, data.password))
        return AuthResult(success=data.password == b"p@ss word", handled=False)

    async def handle_RCPT(  # noqa: N802 — aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.refuses is not None:
            return self.refuses
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content
        assert isinstance(content, bytes)
        message = message_from_bytes(content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.received.append(message)
        self.envelopes.append(envelope)
        self.was_encrypted.append(session.ssl is not None)
        return "250 OK"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for localhost that nobody signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))


@pytest.fixture
def serve(certificate: Path) -> Serve:
    """A server: `tls` is none, starttls or implicit."""
    import asyncio

    @asynccontextmanager
    async def serving(tls: str = "none", *, refuses: str | None = None, auth: bool = False) -> AsyncIterator[Server]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        handler = Server(refuses)

        def protocol() -> SMTP:
            with warnings.catch_warnings():  # it does not see that its connections are encrypted from the first byte
                warnings.simplefilter("ignore", UserWarning)
                return SMTP(
                    handler,
                    tls_context=context if tls == "starttls" else None,
                    require_starttls=tls == "starttls",
                    auth_required=auth,
                    auth_require_tls=tls == "starttls",
                    authenticator=handler.authenticate,
                    enable_SMTPUTF8=False,
                )

        with_tls = context if tls == "implicit" else None
        server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0, ssl=with_tls)
        handler.port = server.sockets[0].getsockname()[1]
        async with server:
            yield handler

    return serving


async def send(url: str, mail: Mail = MAIL) -> None:
    await SmtpMailer.of(url).send(mail)


async def test_a_mail_arrives_as_text_and_html(serve: Serve) -> None:
    async with serve() as server:
        await send(f"smtp+plain://localhost:{server.port}")
    (message,) = server.received
    assert (message["From"], message["To"], message["Subject"]) == (MAIL.sender, MAIL.to, MAIL.subject)
    assert message["Auto-Submitted"] == "auto-generated"
    assert str(message["Message-ID"]).endswith("@example.com>")
    text, html = (message.get_body([kind]) for kind in ("plain", "html"))
    assert text is not None
    assert html is not None
    assert (text.get_content().strip(), html.get_content().strip()) == ("Text", "<p>HTML</p>")
    assert server.envelopes[0].mail_from == "shop@example.com"


@pytest.mark.parametrize(("scheme", "tls"), [("smtp", "starttls"), ("smtps", "implicit")])
async def test_a_password_goes_over_tls(serve: Serve, trusted: None, scheme: str, tls: str) -> None:
    async with serve(tls, auth=True) as server:
        await send(f"{scheme}://shop:p%40ss%20word@localhost:{server.port}")
    assert server.users == [(b"shop", b"p@ss word")]
    assert server.was_encrypted == [True] or tls == "implicit"
    assert len(server.received) == 1


async def test_a_server_without_tls_gets_nothing(serve: Serve) -> None:
    async with serve() as server:
        with pytest.raises(MailNotSent, match="STARTTLS"):
            await send(f"smtp://shop:p%40ss%20word@localhost:{server.port}")
        with pytest.raises(MailNotSent):
            await send(f"smtps://shop:p%40ss%20word@localhost:{server.port}")
    assert (server.received, server.users) == ([], [])


async def test_a_server_that_needs_tls_gets_no_plain_mail(serve: Serve) -> None:
    async with serve("starttls") as server:
        with pytest.raises(MailNotSent):
            await send(f"smtp+plain://localhost:{server.port}")
    assert server.received == []


@pytest.mark.parametrize(("scheme", "tls"), [("smtp", "starttls"), ("smtps", "implicit")])
async def test_a_certificate_that_nobody_signed_is_not_believed(serve: Serve, scheme: str, tls: str) -> None:
    async with serve(tls) as server:
        with pytest.raises(MailNotSent, match=r"(?i)certificate"):
            await send(f"{scheme}://localhost:{server.port}")
    assert server.received == []


async def test_a_wrong_password_is_tried_again_and_is_in_no_message(serve: Serve, trusted: None) -> None:
    async with serve("starttls", auth=True) as server:
        mailer = SmtpMailer.of(f"smtp://shop:hunter2-hunter2@localhost:{server.port}")
        with pytest.raises(MailNotSent, match="SMTPAuthenticationError") as caught:
            await mailer.send(MAIL)
    assert not caught.value.is_final
    assert "hunter2" not in str(caught.value) + repr(mailer)


@pytest.mark.parametrize(("answer", "is_final"), [("550 No such user", True), ("451 Come back later", False)])
async def test_a_recipient_that_there_is_not_is_final_and_one_that_is_busy_is_not(
    serve: Serve, answer: str, is_final: bool
) -> None:
    async with serve(refuses=answer) as server:
        with pytest.raises(MailNotSent, match="the recipient was refused") as caught:
            await send(f"smtp+plain://localhost:{server.port}")
    assert caught.value.is_final == is_final


async def test_a_server_that_is_down_is_tried_again() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(MailNotSent) as caught:
            await send(f"smtp+plain://localhost:{free.getsockname()[1]}")
    assert not caught.value.is_final


@pytest.mark.parametrize("field", ["to", "subject", "sender"])
async def test_no_value_adds_a_header(serve: Serve, field: str) -> None:
    values = {"sender": MAIL.sender, "to": MAIL.to, "subject": MAIL.subject}
    values[field] += "\r\nBcc: mallory@example.com"
    mail = Mail(**values, text="", html="")
    async with serve() as server:
        with anyio.fail_after(10), pytest.raises(MailNotSent, match="ValueError"):
            await send(f"smtp+plain://localhost:{server.port}", mail)
    assert server.received == []
