"""Every template renders, and a host replaces what it likes."""

from pathlib import Path
from typing import Any

import pytest
from tests.conftest import EMAIL, PASSWORD, Client, make_app, make_settings
from tests.inbox import Inbox

from watchword import ConfigurationError, Watchword
from watchword.flows.tell_users import NOTICES
from watchword.mail import Letter, MailNotSent
from watchword.mail import templates as packaged
from watchword.mail.templates import Templates

FOLDER = Path(packaged.__file__).parent / "templates"
KINDS = sorted(path.stem for path in FOLDER.glob("[a-z]*.txt"))
LINK = "https://app.example.com/#token=wwo_x"
EVENT = {"at": "2026-11-21T11:50:00.000+00:00", "user_id": "x"}
VALUES: dict[str, Any] = {"link": LINK, "lifetime": "a day", "new_email": "new@example.com", "remaining": 1, **EVENT}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("more", [{}, {"user_agent": "<script>", "address": "192.0.2.1", "actor": "x"}])
def test_every_template_renders_whatever_is_known_of_the_device(kind: str, more: dict[str, str]) -> None:
    values = {**VALUES, **more}
    mail = Templates(None, "shop@example.com", "The Shop").render(Letter(kind, EMAIL, values))
    assert mail.to == EMAIL
    assert mail.subject
    assert "\n" not in mail.subject
    assert "The Shop" in mail.text
    assert "{{" not in mail.text + mail.html
    assert "\n\n\n" not in mail.text
    assert "<script>" not in mail.html
    assert (LINK in mail.text) == (f'<a href="{LINK}"' in mail.html)


def test_every_notice_has_a_template() -> None:
    assert set(NOTICES.values()) <= set(KINDS)


def test_a_host_replaces_words_and_the_page_around_them(sqlite_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "mails"
    folder.mkdir()
    (folder / "reset_password.txt").write_text("Subject: Neues Passwort für {{ email }}\n\nHier: \n\n{{ link }}\n")
    (folder / "layout.html").write_text("<h1>{{ product }}</h1>{% for p in paragraphs %}[{{ p }}]{% endfor %}")
    inbox = Inbox()
    settings = make_settings(sqlite_url, mail_templates=folder, product_name="Tom & Co")
    auth: Watchword[Any] = Watchword(settings, mailer=inbox)
    with Client(make_app(auth)) as client:
        client.sign_up()
        client.post("/auth/password/forgot", json={"email": EMAIL})
        body = {"new_email": "new@example.com", "password": PASSWORD}
        client.post("/auth/email/change", json=body, headers=client.log_in())
        mails = {mail.subject: mail for mail in inbox.take(client, auth)}
    ours = mails[f"Neues Passwort für {EMAIL}"]
    assert ours.text.startswith("Hier:")
    assert ours.html.startswith("<h1>Tom &amp; Co</h1>[Hier: ][http://localhost:8000/auth/reset#token=wwo_")
    assert mails["Confirm your new email address"].html.startswith("<h1>Tom &amp; Co</h1>[This address")


def test_a_host_gives_one_mail_html_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "reset_password.html").write_text("<b>{{ email }}</b>")
    mail = Templates(tmp_path, "s@example.com", "x").render(Letter("reset_password", "<a>@example.com", VALUES))
    assert mail.html == "<b>&lt;a&gt;@example.com</b>"
    assert "Choose it here" in mail.text


def test_a_template_that_jinja_cannot_read_is_one_line_at_start_up(sqlite_url: str, tmp_path: Path) -> None:
    (tmp_path / "new_device.txt").write_text("Subject: x\n\n{% if %}\n")
    app = make_app(Watchword(make_settings(sqlite_url, mail_templates=tmp_path)))
    with (
        pytest.raises(ConfigurationError, match=r"WATCHWORD_MAIL_TEMPLATES: new_device.txt \(line 3\) is no template"),
        Client(app),
    ):
        pass


@pytest.mark.parametrize(
    ("text", "reason"),
    [("Subject: x\n{{ token }}", "UndefinedError: 'token' is undefined"), ("No subject", "does not begin with")],
)
def test_a_template_that_asks_for_what_there_is_not_sends_nothing(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "new_device.txt").write_text(text)
    with pytest.raises(MailNotSent, match=reason):
        Templates(tmp_path, "s@example.com", "x").render(Letter("new_device", EMAIL, VALUES))
