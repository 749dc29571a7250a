"""What operators see: events with typed handlers, a log without secrets, metrics."""

import asyncio
import json
import logging
from typing import Any
from uuid import uuid4

import pytest
from prometheus_client import CollectorRegistry
from tests.conftest import EMAIL, PASSWORD, SCOPES, Client, make_app, make_settings

from watchword import Watchword
from watchword.cli.logs import json_formatter
from watchword.events import (
    Event,
    LoggedIn,
    LoginRefused,
    PasswordChanged,
    SessionEnded,
    SessionRefreshed,
    UserDeleted,
    UserDisabled,
    UserEnabled,
    UserRegistered,
)
from watchword.metrics import Metrics


@pytest.fixture
def auth(sqlite_url: str) -> Watchword[Any]:
    return Watchword(make_settings(sqlite_url), scopes=SCOPES)


def walk_through(client: Client, auth: Watchword[Any]) -> dict[str, str]:
    """One of everything; the secrets that were seen on the way."""
    client.sign_up()
    assert client.ask_token(password="a wrong one").status_code == 400
    tokens = client.ask_token().json()
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    refreshed = client.post("/auth/refresh", json={"refresh_token": tokens["refresh_token"]}).json()
    assert client.post("/auth/refresh", json={"refresh_token": "wwr_wrong"}).status_code == 400
    client.post("/auth/revoke", data={"token": refreshed["access_token"]})
    assert client.post("/auth/logout", headers=headers).status_code == 204
    change = {"current_password": PASSWORD, "new_password": "another correct horse battery"}
    assert client.post("/auth/password/change", json=change, headers=client.log_in()).status_code == 204
    call = client.portal.call  # type: ignore[union-attr]  # it is started
    user = call(auth.users.find, EMAIL)
    assert user is not None
    call(auth.users.disable, user.id)
    call(auth.users.disable, user.id)
    call(auth.users.enable, user.id)
    call(auth.users.delete, user.id)
    return {name: str(value) for name, value in {**tokens, **refreshed}.items() if name.endswith("_token")} | change


def test_each_thing_that_happens_is_one_event(client: Client, auth: Watchword[Any]) -> None:
    heard: list[Event] = []
    auth.on(Event, heard.append)
    walk_through(client, auth)
    assert [event.name() for event in heard] == [
        "user_registered", "login_refused", "logged_in", "session_refreshed", "refresh_refused", "token_revoked",
        "session_ended", "logged_in", "password_changed", "user_disabled", "user_enabled", "user_deleted",
    ]  # fmt: skip
    for event in heard:
        assert event.at.utcoffset() is not None
        by_host = isinstance(event, UserDisabled | UserEnabled | UserDeleted)
        assert (event.device.user_agent == "testclient") is not by_host
    (logged_in, _) = [event for event in heard if isinstance(event, LoggedIn)]
    assert (logged_in.client_id, logged_in.amr) == ("first-party", ("pwd",))
    (refused,) = [event for event in heard if isinstance(event, LoginRefused)]
    assert refused.reason.startswith("wrong password for user ")


def test_a_handler_hears_of_its_class_only_plain_or_async(client: Client, auth: Watchword[Any]) -> None:
    heard: list[Event] = []

    async def slowly(event: LoggedIn) -> None:
        await asyncio.sleep(0)
        heard.append(event)

    auth.on(LoggedIn, slowly)
    auth.on(UserRegistered, heard.append)
    walk_through(client, auth)
    assert [type(event) for event in heard] == [UserRegistered, LoggedIn, LoggedIn]


def test_a_handler_that_fails_is_logged_and_changes_nothing(
    client: Client, auth: Watchword[Any], caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[Event] = []

    def fail(_event: LoggedIn) -> None:
        raise RuntimeError("the host's mistake")

    auth.on(LoggedIn, fail)
    auth.on(LoggedIn, heard.append)
    client.sign_up()
    assert client.ask_token().status_code == 200
    assert len(heard) == 1
    assert "a handler of logged_in failed" in caplog.text


def test_the_event_comes_after_the_commit(client: Client, auth: Watchword[Any]) -> None:
    seen: list[bool] = []

    async def look(event: SessionEnded) -> None:
        seen.append(await auth.sessions.list(event.user_id) == [])

    auth.on(SessionEnded, look)
    client.sign_up()
    client.post("/auth/logout", headers=client.log_in())
    assert seen == [True]


def test_no_secret_is_in_an_event_or_in_the_log(
    client: Client, auth: Watchword[Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "watchword")
    heard: list[Event] = []
    auth.on(Event, heard.append)
    secrets = walk_through(client, auth)
    assert len(secrets) == 4
    told = caplog.text + repr(heard) + json.dumps([event.fields() for event in heard])
    for name, secret in secrets.items():
        assert secret not in told, name
    assert "wwr_" not in told
    assert "eyJ" not in told


def test_a_line_of_the_json_log_has_the_fields_and_cannot_be_forged(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "watchword")
    client.sign_up()
    forged = 'x\\n{"event": "logged_in"}\x1b[2K"'
    form = {"grant_type": "password", "username": EMAIL, "password": PASSWORD}
    assert client.post("/auth/token", data=form, headers={"User-Agent": forged}).status_code == 200
    (record,) = [record for record in caplog.records if record.getMessage().startswith("logged_in")]
    line = json_formatter().format(record)
    assert "\n" not in line
    assert "\x1b" not in line
    told = json.loads(line)
    assert (told["event"], told["level"], told["logger"]) == ("logged_in", "info", "watchword.events")
    assert {"timestamp", "at", "user_id", "session_id", "client_id", "address", "user_agent", "amr"} <= set(told)


def test_an_exception_in_the_json_log_is_one_line_too() -> None:
    error = RuntimeError("first\nsecond")
    record = logging.LogRecord("x", logging.ERROR, __file__, 1, "it failed", (), (RuntimeError, error, None))
    told = json.loads(json_formatter().format(record))
    assert "RuntimeError: first\nsecond" in told["exception"]


def test_metrics_count_what_happens(auth: Watchword[Any]) -> None:
    registry = CollectorRegistry()
    metrics = Metrics(auth, registry)
    with Client(make_app(auth)) as client:
        walk_through(client, auth)
        metrics.take()
        exposed = metrics.exposition().decode()

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(name, labels)

    assert value("watchword_logins_total", outcome="accepted") == 2
    assert value("watchword_logins_total", outcome="refused") == 1
    assert value("watchword_refreshes_total", outcome="rotated") == 1
    assert value("watchword_refreshes_total", outcome="refused") == 1
    assert value("watchword_revocations_total", what="token") == 1
    assert value("watchword_revocations_total", what="session") == 1
    assert value("watchword_revocations_total", what="user") == 3
    assert value("watchword_verifications_total", by="database") == 2
    age = value("watchword_revocation_feed_age_seconds")
    assert age is not None
    assert 0 <= age < 5
    assert "# HELP watchword_logins_total Logins." in exposed


def test_an_event_is_a_frozen_value() -> None:
    event = PasswordChanged(user_id=uuid4())
    with pytest.raises(AttributeError):
        event.user_id = event.user_id  # type: ignore[misc]  # it is frozen
    assert SessionRefreshed.name() == "session_refreshed"
