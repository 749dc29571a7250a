"""What operators do about mail: links to hand over, an outbox to look into, settings that cannot be."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.cli.processes import PASSWORD, SECRET, run
from tests.conftest import Client, make_app, make_settings

from watchword import Watchword

EMAIL = "a@example.com"
NEW_PASSWORD = "a new and long password"


def app_of(directory: Path, **changes: Any) -> Any:
    url = f"sqlite:///{directory / 'watchword.db'}"
    auth: Watchword[Any] = Watchword(make_settings(url, email_verification="required", **changes))
    return make_app(auth)


def test_an_operator_makes_an_account_that_needs_no_proof_and_a_link_to_its_password(tmp_path: Path) -> None:
    settings = {"WATCHWORD_SECRET": SECRET, "WATCHWORD_EMAIL_VERIFICATION": "required"}
    create = ("users", "create", EMAIL, "--password-stdin", "--email-verified")
    assert run(tmp_path, *create, stdin=PASSWORD, **settings).returncode == 0
    made = run(tmp_path, "users", "reset-link", EMAIL.upper(), **settings)
    assert made.returncode == 0, made.stderr
    link = made.stdout.strip()
    assert re.fullmatch(r"http://localhost:8000/auth/reset#token=wwo_[A-Za-z0-9_-]{48}", link)
    with Client(app_of(tmp_path)) as client:
        assert client.ask_token(EMAIL).status_code == 200
        body = {"token": link.partition("token=")[2], "new_password": NEW_PASSWORD}
        assert client.post("/auth/password/reset", json=body).status_code == 204
        assert client.ask_token(EMAIL, NEW_PASSWORD).status_code == 200
    as_json = run(tmp_path, "users", "reset-link", EMAIL, "--json", **settings)
    assert json.loads(as_json.stdout)["link"].startswith("http://localhost:8000/")
    nobody = run(tmp_path, "users", "reset-link", "nobody@example.com", **settings)
    assert (nobody.returncode, nobody.stderr) == (1, "watchword: There is no user with this email\n")


def test_an_operator_sees_what_was_not_sent_and_has_it_tried_again(tmp_path: Path) -> None:
    from watchword.mail import Mail, MailNotSent

    class Refusing:
        async def send(self, _mail: Mail) -> None:
            raise MailNotSent("the recipient was refused: [550]", is_final=True)

    url = f"sqlite:///{tmp_path / 'watchword.db'}"
    auth: Watchword[Any] = Watchword(make_settings(url), mailer=Refusing())
    with Client(make_app(auth)) as client:
        client.sign_up(EMAIL)
        client.post("/auth/password/forgot", json={"email": EMAIL})

        async def given_up() -> bool:
            return any(entry.next_attempt_at is None for entry in await auth.outbox.page())

        assert client.portal is not None
        for _ in range(2000):
            if client.portal.call(given_up):
                break
    settings = {"WATCHWORD_SECRET": SECRET}
    (entry,) = json.loads(run(tmp_path, "outbox", "list", "--json", **settings).stdout)
    assert (entry["kind"], entry["attempts"], entry["next_attempt_at"]) == ("reset_password", 1, None)
    assert entry["last_error"] == "the recipient was refused: [550]"
    table = run(tmp_path, "outbox", "list", **settings).stdout
    assert "reset_password" in table
    assert EMAIL not in table
    assert json.loads(run(tmp_path, "outbox", "retry", entry["id"], "--json", **settings).stdout) == {"retried": 1}
    (entry,) = json.loads(run(tmp_path, "outbox", "list", "--json", **settings).stdout)
    assert entry["next_attempt_at"] is not None
    assert run(tmp_path, "outbox", "retry", **settings).stdout == "0 will be tried again.\n"
    assert run(tmp_path, "outbox", "retry", "x", **settings).returncode == 1


@pytest.mark.parametrize("command", [("users", "list", "--json"), ("outbox", "list", "--json")])
def test_commands_need_no_mail_even_where_the_app_does(tmp_path: Path, command: tuple[str, ...]) -> None:
    """The app may have a mailer of its own, which a command does not see."""
    settings = {
        "WATCHWORD_ENVIRONMENT": "production",
        "WATCHWORD_SECRET": SECRET,
        "WATCHWORD_ISSUER": "https://login.example.com",
        "WATCHWORD_EMAIL_VERIFICATION": "required",
    }
    run(tmp_path, "db", "upgrade", **settings)
    assert json.loads(run(tmp_path, *command, **settings).stdout) == []
    served = run(tmp_path, "serve", **settings)
    assert served.returncode == 1
    assert served.stderr.startswith(
        "watchword: WATCHWORD_EMAIL_VERIFICATION=required needs mail: set WATCHWORD_MAIL_URL"
    )
    assert served.stderr.count("\n") == 1
