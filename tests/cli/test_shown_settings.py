"""What `watchword settings` shows of an address, and where it says that a value is from."""

from pathlib import Path

import pytest
from pydantic import SecretStr
from tests.conftest import make_settings

from watchword.cli.settings import mask_url, shown_settings
from watchword.settings import load_settings


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://user:hunter2@host/name", "postgresql://user:***@host/name"),
        ("postgresql://:hunter2@host/name", "postgresql://:***@host/name"),
        ("postgresql://user:hun@ter/2@host/name", "postgresql://user:***@host/name"),
        ("postgresql://user:hun:ter2@host:bad/name", "postgresql://user:***@host:bad/name"),
        ("postgresql://host/name?user=u&password=hunter2&ssl=on", "postgresql://host/name?user=u&password=***&ssl=on"),
        ("postgresql://user@host/name", "postgresql://user@host/name"),
        ("sqlite+aiosqlite:///watch@word.db", "sqlite+aiosqlite:///watch@word.db"),
        ("https://login.example.com:8443", "https://login.example.com:8443"),
    ],
)
def test_an_address_shows_no_password(url: str, shown: str) -> None:
    assert mask_url(url) == shown


def test_every_secret_is_masked_and_counted() -> None:
    settings = make_settings("sqlite:///a.db", secret=tuple(SecretStr(f"{letter}-0123456789" * 4) for letter in "ab"))
    assert ("WATCHWORD_SECRET", "*** ***", "default") in shown_settings(settings)


def test_the_source_of_a_value_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("WATCHWORD_PREFIX=/login\nWATCHWORD_HASHING_QUEUE=7\n")
    monkeypatch.setenv("watchword_hashing_queue", "8")
    told = {variable: (value, source) for variable, value, source in shown_settings(load_settings())}
    assert told["WATCHWORD_PREFIX"] == ("/login", ".env")
    assert told["WATCHWORD_HASHING_QUEUE"] == ("8", "environment")
    assert told["WATCHWORD_ISSUER"] == ("http://localhost:8000", "default")
    assert told["WATCHWORD_ACCESS_TOKEN_LIFETIME"] == ("15m", "default")
