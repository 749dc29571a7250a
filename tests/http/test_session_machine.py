"""Any order of logins, refreshes, retries, replays, logouts and time gives what a model of ten lines says."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select, update
from tests.conftest import PASSWORD, SCOPES, SECRET, Client, make_app, make_settings

from watchword import Watchword
from watchword.crypto.refresh_tokens import RefreshTokenKeys
from watchword.storage.tables import session

LEEWAY, IDLE, ABSOLUTE = 30, 30 * 86400, 90 * 86400
WHICH = st.integers(0, 99)
some_login = precondition(lambda machine: bool(machine.all))
KEYS = RefreshTokenKeys.from_secrets([SECRET.encode()])


@dataclass
class Model:
    """What a session is: where it stands, how long ago it was rotated, what is left of it."""

    generation: int = 0
    rotated: int = 0
    idle: int = IDLE
    absolute: int = ABSOLUTE
    ended: bool = False

    @property
    def is_live(self) -> bool:
        return not self.ended and self.idle > 0 and self.absolute > 0

    def refresh(self, presented: int) -> int | None:
        """The generation that is answered; None for a refusal."""
        used_since = self.generation - presented
        if not self.is_live:
            return None
        if used_since == 0:
            self.generation, self.rotated, self.idle = self.generation + 1, 0, IDLE
            return self.generation
        if self.rotated < LEEWAY and used_since <= 2:
            return self.generation if used_since == 1 else None
        self.ended = True
        return None


@dataclass
class Login:
    """A session as its client has it: all its refresh tokens, one for each generation, and an access token."""

    model: Model
    tokens: list[str]
    headers: dict[str, str]
    id: UUID
    scope: str
    has_aged: bool = False
    is_revoked: bool = False


@dataclass
class World:
    """A started app, and the time that its database believes in."""

    client: Client
    auth: Watchword[Any]
    users: list[str] = field(default_factory=list)

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        assert self.client.portal is not None
        return self.client.portal.call(function, *arguments)

    async def age(self, ids: list[UUID], seconds: int) -> None:
        moments = (session.c.rotated_at, session.c.idle_expires_at, session.c.expires_at)
        async with self.auth.open_session.storage.connection(writes=True) as connection:
            for row in (await connection.execute(select(session.c.id, *moments).where(session.c.id.in_(ids)))).all():
                values = {moment.name: row._mapping[moment] - timedelta(seconds=seconds) for moment in moments}
                await connection.execute(update(session).where(session.c.id == row.id).values(values))


class Sessions(RuleBasedStateMachine):
    """One user, several devices."""

    world: World

    @initialize()
    def sign_up(self) -> None:
        self.email = f"user-{uuid4().hex}@example.com"
        self.password = PASSWORD
        self.user_id = UUID(self.world.client.sign_up(self.email)["id"])
        self.all: list[Login] = []

    def pick(self, which: int) -> Login:
        """A session: mostly one that is in force, for what has ended has little left to show."""
        live = [login for login in self.all if login.model.is_live]
        among = live if live and which % 4 else self.all
        return among[which % len(among)]

    @rule(scope=st.sampled_from(["", "orders:read"]))
    def log_in(self, scope: str) -> None:
        fields = {"scope": scope} if scope else {}
        tokens = self.world.client.ask_token(self.email, self.password, **fields).json()
        headers = {"Authorization": f"Bearer {tokens['access_token']}"}
        listed = self.world.client.get("/auth/sessions", headers=headers).json()["items"]
        (current,) = [item["id"] for item in listed if item["is_current"]]
        login = Login(Model(), [tokens["refresh_token"]], headers, UUID(current), tokens["scope"])
        self.all.append(login)

    def check(self, login: Login, answer: Any, expected: int | None, scope: str = "") -> None:
        if expected is None:
            assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant"), answer.text
            return
        assert answer.status_code == 200, answer.text
        token = answer.json()["refresh_token"]
        assert answer.json()["scope"] == (scope or login.scope)
        assert KEYS.decode(token).generation == expected
        if expected < len(login.tokens):
            assert token == login.tokens[expected], "a retry gets the very same successor"
        else:
            login.tokens.append(token)
            login.headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
            login.is_revoked = False

    def send(self, token: str, **fields: str) -> Any:
        form = {"grant_type": "refresh_token", "refresh_token": token, **fields}
        return self.world.client.post("/auth/token", data=form)

    @some_login
    @rule(which=WHICH, times=st.integers(1, 3))
    def refresh(self, which: int, times: int) -> None:
        for _ in range(times):
            self.present(self.pick(which), 0, "")

    @some_login
    @rule(which=WHICH, back=st.integers(0, 4), scope=st.sampled_from(["", "orders:read"]))
    def present_any(self, which: int, back: int, scope: str) -> None:
        self.present(self.pick(which), back, scope)

    def present(self, login: Login, back: int, scope: str) -> None:
        presented = max(0, len(login.tokens) - 1 - back)
        fields = {"scope": scope} if scope else {}
        answer = self.send(login.tokens[presented], **fields)
        self.check(login, answer, login.model.refresh(presented), scope)

    @some_login
    @rule(which=WHICH, at_once=st.integers(2, 5))
    def refresh_in_parallel(self, which: int, at_once: int) -> None:
        login = self.pick(which)
        presented = len(login.tokens) - 1
        with ThreadPoolExecutor(at_once) as threads:
            answers = list(threads.map(self.send, [login.tokens[presented]] * at_once))
        for answer in answers:  # one rotates, the others are its retries, whoever is first
            self.check(login, answer, login.model.refresh(presented))

    @some_login
    @rule(which=WHICH)
    def ask_for_more(self, which: int) -> None:
        login = self.pick(which)
        answer = self.send(login.tokens[-1], scope="orders:read admin")
        expected = "invalid_scope" if login.model.is_live else "invalid_grant"
        assert (answer.status_code, answer.json()["error"]) == (400, expected)

    @some_login
    @rule(seconds=st.sampled_from([5, LEEWAY - 5, LEEWAY + 5, LEEWAY + 5, IDLE // 2, IDLE + 60]))
    def let_pass(self, seconds: int) -> None:
        self.world.call(self.world.age, [login.id for login in self.all], seconds)
        for login in self.all:
            model = login.model
            model.rotated += seconds
            model.idle -= seconds
            model.absolute -= seconds
            login.has_aged |= not model.is_live

    # One rule for all that ends something: each of its own would end most sessions before they have a past.
    @some_login
    @rule(which=WHICH, how=st.sampled_from(["token", "refresh_token", "logout", "others", "everywhere", "password",
                                             "disable"]))  # fmt: skip
    def end(self, which: int, how: str) -> None:
        ways: dict[str, Callable[[Login], None]] = {
            "token": self.revoke_the_access_token,
            "refresh_token": self.revoke_the_refresh_token,
            "logout": self.log_out,
            "others": partial(self.end_sessions, everywhere=False),
            "everywhere": partial(self.end_sessions, everywhere=True),
            "password": self.change_password,
            "disable": self.disable_and_enable,
        }
        ways[how](self.pick(which))

    def revoke_the_refresh_token(self, login: Login) -> None:
        token = login.tokens[-2:][0]  # the one that was traded last names its session as well
        assert self.world.client.post("/auth/revoke", data={"token": token}).status_code == 200
        login.model.ended = True

    def revoke_the_access_token(self, login: Login) -> None:
        token = login.headers["Authorization"].removeprefix("Bearer ")
        assert self.world.client.post("/auth/revoke", data={"token": token}).status_code == 200
        login.is_revoked = True

    def log_out(self, login: Login) -> None:
        if self.was_let_in(login, self.world.client.post("/auth/logout", headers=login.headers)):
            login.model.ended = True

    def end_sessions(self, login: Login, *, everywhere: bool) -> None:
        query = {"everywhere": "true"} if everywhere else {}
        if self.was_let_in(login, self.world.client.delete("/auth/sessions", params=query, headers=login.headers)):
            for each in self.all:
                each.model.ended |= everywhere or each is not login

    def change_password(self, login: Login) -> None:
        new = f"another correct horse battery {len(self.all)}"
        change = {"current_password": self.password, "new_password": new}
        answer = self.world.client.post("/auth/password/change", json=change, headers=login.headers)
        if self.was_let_in(login, answer):
            self.password = new
            self.end_all()

    def disable_and_enable(self, _login: Login) -> None:
        self.world.call(self.world.auth.users.disable, self.user_id)
        assert self.world.client.ask_token(self.email, self.password).status_code == 400
        self.world.call(self.world.auth.users.enable, self.user_id)
        self.end_all()

    def was_let_in(self, login: Login, answer: Any) -> bool:
        assert answer.status_code in {204, 401}
        assert login.has_aged or (answer.status_code == 204) is self.is_in(login)
        return bool(answer.status_code == 204)

    def end_all(self) -> None:
        for login in self.all:
            login.model.ended = True

    def is_in(self, login: Login) -> bool:
        return login.model.is_live and not login.is_revoked

    @invariant()
    def guards_let_in_who_is_live_and_nobody_else(self) -> None:
        for login in getattr(self, "all", []):
            if login.has_aged:  # the clock of access tokens is not the database's: their own end is tested elsewhere
                continue
            status = self.world.client.get("/mine", headers=login.headers).status_code
            assert status == (200 if self.is_in(login) else 401), login

    @invariant()
    def the_list_is_of_the_live_ones(self) -> None:
        if getattr(self, "all", []):
            listed = self.world.call(partial(self.world.auth.sessions.list, self.user_id))
            assert {each.id for each in listed} == {login.id for login in self.all if login.model.is_live}


@contextmanager
def started(url: str) -> Iterator[World]:
    auth: Watchword[Any] = Watchword(make_settings(url), scopes=SCOPES)
    with Client(make_app(auth)) as client:
        yield World(client, auth)


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_sessions_do_what_the_model_says(database: str, request: pytest.FixtureRequest) -> None:
    with started(request.getfixturevalue(f"{database}_url")) as world:
        run_state_machine_as_test(
            type("Sessions", (Sessions,), {"world": world}),
            settings=settings(
                max_examples=int(os.environ.get("WATCHWORD_TEST_EXAMPLES", "4")),
                stateful_step_count=40,
                deadline=None,
                derandomize="WATCHWORD_TEST_EXAMPLES" not in os.environ,
                suppress_health_check=[HealthCheck.too_slow],
            ),
        )
