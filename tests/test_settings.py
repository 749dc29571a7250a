"""Settings: what is taken, and the one line that an operator gets for what is not."""

import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, TypeAdapter

from tests import forks
from watchword import ConfigurationError, Settings, Watchword
from watchword.settings import Duration, format_duration, load_settings

GOOD_SECRET = "abcdefghijklmnopqrstuvwxyz0123456789"
PRODUCTION = {
    "WATCHWORD_ENVIRONMENT": "production",
    "WATCHWORD_SECRET": GOOD_SECRET,
    "WATCHWORD_ISSUER": "https://login.example.com",
}


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import os

    for name in list(os.environ):
        if name.startswith("WATCHWORD_") and not name.startswith("WATCHWORD_TEST_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("15m", 900),
        ("900", 900),
        (900, 900),
        ("PT15M", 900),
        ("30d", 2592000),
        ("1.5h", 5400),
        ("2w", 1209600),
        (" 5s ", 5),
    ],
)
def test_a_duration_is_written_as_people_write_it(text: object, seconds: int) -> None:
    assert TypeAdapter(Duration).validate_python(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["15 minutes", "m", "-5m", "0", "", "PT", True])
def test_what_is_no_duration_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match=r".+"):
        TypeAdapter(Duration).validate_python(text)


@pytest.mark.parametrize("text", ["15m", "30d", "90s", "12h", "1s"])
def test_a_duration_is_shown_as_it_was_written(text: str) -> None:
    assert format_duration(TypeAdapter(Duration).validate_python(text)) == text


def test_nothing_has_to_be_set_in_development() -> None:
    settings = load_settings()
    assert settings.issuer == "http://localhost:8000"
    assert settings.audience == settings.issuer
    assert not settings.is_production
    assert settings.notices


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        (
            {"WATCHWORD_ACCESS_TOKEN_LIFETIME": "soon"},
            "WATCHWORD_ACCESS_TOKEN_LIFETIME is not a duration: write 900, 15m",
        ),
        ({"WATCHWORD_REFRESH_LEEWAY": "6m"}, "WATCHWORD_REFRESH_LEEWAY must not be longer than 5m"),
        ({"WATCHWORD_REFRESH_LEEWAY": "-1s"}, "WATCHWORD_REFRESH_LEEWAY is not a duration"),
        ({"WATCHWORD_REVOCATION_STALENESS": "0.01"}, "WATCHWORD_REVOCATION_STALENESS must be between 0.1 (100 ms) and"),
        ({"WATCHWORD_REVOCATION_STALENESS": "2m"}, "WATCHWORD_REVOCATION_STALENESS must be between 0.1 (100 ms) and"),
        (
            {"WATCHWORD_REFRESH_IDLE_LIFETIME": "91d"},
            "WATCHWORD_REFRESH_IDLE_LIFETIME must not be longer than WATCHWORD_REFRESH_ABSOLUTE_LIFETIME",
        ),
        (
            {"WATCHWORD_ACCESS_TOKEN_LIFETIME": "31d"},
            "WATCHWORD_ACCESS_TOKEN_LIFETIME must not be longer than WATCHWORD_REFRESH_IDLE_LIFETIME",
        ),
        ({"WATCHWORD_REMEMBERED_TOKENS": "-1"}, "WATCHWORD_REMEMBERED_TOKENS input should be greater than"),
        ({"WATCHWORD_REDIS_URL": "localhost"}, "WATCHWORD_REDIS_URL must start with redis://"),
        ({"WATCHWORD_LOG_FORMAT": "xml"}, "WATCHWORD_LOG_FORMAT input should be 'text' or 'json'"),
        (
            {"WATCHWORD_DATABASE_DIRECT_URL": "sqlite:///x.db"},
            "WATCHWORD_DATABASE_DIRECT_URL must start with postgresql+asyncpg://",
        ),
        (
            {"WATCHWORD_DATABASE_DIRECT_URL": "postgresql://x/y"},
            "WATCHWORD_DATABASE_DIRECT_URL is for PostgreSQL: remove it, or set WATCHWORD_DATABASE_URL",
        ),
        ({"WATCHWORD_DATABASE_URL": "mysql://x"}, "WATCHWORD_DATABASE_URL must start with sqlite+aiosqlite:// or"),
        ({"WATCHWORD_SECRET": "short"}, "WATCHWORD_SECRET is too short: each secret needs at least 32 bytes"),
        ({"WATCHWORD_SECRET": "ab" * 20}, "WATCHWORD_SECRET is a well-known or trivial value"),
        ({"WATCHWORD_PREFIX": "auth/"}, "WATCHWORD_PREFIX must be a path such as /auth"),
        ({"WATCHWORD_SCOPES": "orders"}, "WATCHWORD_SCOPES must be JSON"),
        ({"WATCHWORD_SCOPES": '{"admin": "x"}'}, "WATCHWORD_SCOPES 'admin' is reserved"),
        ({"WATCHWORD_SCOPES": '{"a b": "x"}'}, "WATCHWORD_SCOPES 'a b' is not a scope"),
        ({"WATCHWORD_PASSWORD_MIN_LENGTH": "4"}, "WATCHWORD_PASSWORD_MIN_LENGTH input should be greater than"),
        ({"WATCHWORD_PASSWORD_COST": "cheap"}, "WATCHWORD_PASSWORD_COST must be owasp, rfc9106 or"),
        ({"WATCHWORD_PASSWORD_COST": "m=99999999,t=1,p=1"}, "WATCHWORD_PASSWORD_COST must be"),
        ({"WATCHWORD_PASSWORD_COST": "m=1024,t=1,p=1"}, "WATCHWORD_PASSWORD_COST is out of range"),
        ({"WATCHWORD_ISSUER": "https://x.example/"}, "WATCHWORD_ISSUER must be an address"),
        ({"WATCHWORD_ACCES_TOKEN_LIFETIME": "5m"}, "did you mean WATCHWORD_ACCESS_TOKEN_LIFETIME?"),
        ({"WATCHWORD_MAIL_URL": "localhost:25"}, "WATCHWORD_MAIL_URL must be an address such as smtp://user:password@"),
        ({"WATCHWORD_MAIL_URL": "smtp://u:p@host:70000"}, "WATCHWORD_MAIL_URL must be an address such as smtp://"),
        ({"WATCHWORD_MAIL_URL": "smtp://u:p@host?tls=no"}, "WATCHWORD_MAIL_URL must be an address such as smtp://"),
        ({"WATCHWORD_MAIL_URL": "smtp+plain://u:p@host"}, "WATCHWORD_MAIL_URL must be smtp:// or smtps:// where there"),
        ({"WATCHWORD_MAIL_URL": "smtp://host"}, "WATCHWORD_MAIL_FROM is required with WATCHWORD_MAIL_URL"),
        ({"WATCHWORD_MAIL_FROM": "The Shop"}, "WATCHWORD_MAIL_FROM must be a sender such as Example <login@"),
        ({"WATCHWORD_MAIL_FROM": "a@b.c\nBcc: x@y.z"}, "WATCHWORD_MAIL_FROM must be a sender such as Example <login@"),
        ({"WATCHWORD_MAIL_TEMPLATES": "nowhere"}, "WATCHWORD_MAIL_TEMPLATES path does not point to a directory"),
        ({"WATCHWORD_PAGE_LOGO": "nowhere.svg"}, "WATCHWORD_PAGE_LOGO path does not point to a file"),
        ({"WATCHWORD_PAGE_ACCENT": "red"}, "WATCHWORD_PAGE_ACCENT must be a colour such as #3455c4"),
        ({"WATCHWORD_PRODUCT_NAME": "a\nb"}, "WATCHWORD_PRODUCT_NAME must be one line of text"),
        ({"WATCHWORD_EMAIL_VERIFICATION": "on"}, "WATCHWORD_EMAIL_VERIFICATION input should be 'off' or 'required'"),
        (
            {"WATCHWORD_PASSWORD_RESET_URL": "https://x.example/reset?token={token}"},
            "WATCHWORD_PASSWORD_RESET_URL must be an address with {token} behind a #",
        ),
        (
            {**PRODUCTION, "WATCHWORD_EMAIL_VERIFICATION_URL": "http://x.example/#token={token}"},
            "WATCHWORD_EMAIL_VERIFICATION_URL must be https in production: the link is a credential",
        ),
        (
            {**PRODUCTION, "WATCHWORD_MAIL_URL": "smtp+plain://relay", "WATCHWORD_MAIL_FROM": "a@b.example"},
            "WATCHWORD_MAIL_URL must be smtp:// or smtps:// in production, unless the relay is on localhost",
        ),
        ({**PRODUCTION, "WATCHWORD_SECRET": ""}, "WATCHWORD_SECRET is required in production: set it to"),
        ({**PRODUCTION, "WATCHWORD_ISSUER": ""}, "WATCHWORD_ISSUER is required in production"),
        ({**PRODUCTION, "WATCHWORD_ISSUER": "http://x.example"}, "WATCHWORD_ISSUER is required in production"),
    ],
)
def test_a_bad_setting_is_answered_by_one_line_that_names_it(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], told: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_secret_is_in_no_message_and_no_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHWORD_SECRET", f"{GOOD_SECRET} tooshort")
    monkeypatch.setenv("WATCHWORD_DATABASE_URL", "postgresql://user:hunter2@host/name")
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    assert GOOD_SECRET not in str(caught.value)
    monkeypatch.setenv("WATCHWORD_SECRET", GOOD_SECRET)
    monkeypatch.setenv("WATCHWORD_MAIL_URL", "smtp://user:hunter2@host")
    monkeypatch.setenv("WATCHWORD_MAIL_FROM", "a@b.example")
    assert GOOD_SECRET not in repr(load_settings())
    assert "hunter2" not in repr(load_settings())


def test_several_secrets_are_separated_by_spaces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHWORD_SECRET", f"{GOOD_SECRET}1 {GOOD_SECRET}2")
    assert [secret.get_secret_value()[-1] for secret in load_settings().secret] == ["1", "2"]


def test_the_short_database_addresses_mean_the_async_drivers() -> None:
    for short, full in [("sqlite:///a.db", "sqlite+aiosqlite:///a.db"), ("postgres://h/n", "postgresql+asyncpg://h/n")]:
        assert Settings(database_url=SecretStr(short)).database_url.get_secret_value() == full


def test_settings_come_from_a_dotenv_file_too(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("WATCHWORD_PREFIX=/login\nOTHER=1\n")
    assert load_settings().prefix == "/login"


def test_a_misspelt_name_in_the_dotenv_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("WATCHWORD_SING_UP=false\n")
    with pytest.raises(ConfigurationError, match=r"did you mean WATCHWORD_SIGN_UP\?"):
        load_settings()


def test_scopes_given_in_python_are_checked_as_well() -> None:
    with pytest.raises(ConfigurationError, match="'openid' is reserved"):
        Watchword(scopes={"openid": "no"})


def serve(directory: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a host app under uvicorn until it fails to start."""
    (directory / "host.py").write_text(
        "from fastapi import FastAPI\nfrom watchword import Watchword\napp = FastAPI()\nWatchword().install(app)\n"
    )
    return forks.run("uvicorn", "host:app", "--port", "0", cwd=directory, env={"PATH": "/usr/bin:/bin", **variables})


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"WATCHWORD_ACCESS_TOKEN_LIFETIME": "soon"}, "WATCHWORD_ACCESS_TOKEN_LIFETIME is not a duration"),
        ({**PRODUCTION, "WATCHWORD_DOCS_IN_PRODUCTION": "true"}, "run `watchword db upgrade`"),
        (PRODUCTION, "set WATCHWORD_DOCS_IN_PRODUCTION=true if that is meant"),
        ({"WATCHWORD_DATABASE_URL": "postgresql://127.0.0.1:1/none"}, "the database does not answer"),
        ({"WATCHWORD_DATABASE_URL": "sqlite:////no/such/folder/x.db"}, "the database does not answer"),
    ],
)
def test_a_host_app_that_cannot_start_says_why_without_a_traceback(
    tmp_path: Path, variables: dict[str, str], told: str
) -> None:
    outcome = serve(tmp_path, **variables)
    assert outcome.returncode != 0
    assert told in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_a_database_sealed_under_another_secret_says_what_to_append(tmp_path: Path, sqlite_url: str) -> None:
    outcome = serve(tmp_path, WATCHWORD_DATABASE_URL=sqlite_url, WATCHWORD_SECRET=GOOD_SECRET)
    assert "WATCHWORD_SECRET lacks the secret that sealed the signing keys" in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_the_public_settings_are_frozen() -> None:
    settings: Any = Settings()
    with pytest.raises(ValueError, match="frozen"):
        settings.prefix = "/other"
