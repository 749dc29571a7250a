"""Guards remember what they verified, no longer than it holds; a socket hears when its token ends."""

import asyncio
import copy
import dataclasses
import pickle
import time
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import BaseModel, PrivateAttr
from sqlalchemy import text
from tests.conftest import EMAIL, PASSWORD, SCOPES, Client, make_app, make_settings
from typing_extensions import override

from watchword import CurrentPrincipal, CurrentUser, Principal, StorageDown, Watchword
from watchword.errors import InvalidToken
from watchword.guard.remembered import RememberingVerifier
from watchword.identity.verify import Verified, VerifyCredential
from watchword.model import Device, Profile

pytestmark = pytest.mark.anyio

Start = Callable[..., Any]


async def log_in(auth: Watchword[Any], email: str = EMAIL) -> str:
    """An access token."""
    user = await auth.users.find(email) or await auth.users.create(email, PASSWORD)
    async with auth.open_session.storage.reading() as stores:
        account = await stores.users.get(user.id)
    assert account is not None
    from watchword.identity.authenticate_client import ClientCredentials

    first_party = await auth.use_cases.authenticate_client(ClientCredentials())
    issued = await auth.open_session(account, first_party, scopes=frozenset(), amr=("pwd",), device=Device())
    assert issued is not None
    return issued.access_token


async def log_out(auth: Watchword[Any], principal: Principal) -> None:
    assert principal.user_id is not None
    assert principal.session_id is not None
    await auth.sessions.end(principal.user_id, principal.session_id)


class Slow:
    """A verification that stops after it has read the database, until it is let go."""

    def __init__(self, verify: VerifyCredential) -> None:
        self.verify = verify
        self.has_read = asyncio.Event()
        self.may_go = asyncio.Event()

    async def __call__(self, credential: str) -> Verified:
        verified = await self.verify(credential)
        self.has_read.set()
        await self.may_go.wait()
        return verified


async def test_a_verification_in_flight_while_a_revocation_commits_is_not_remembered(
    start: Start, database_url: str
) -> None:
    async with start(database_url) as auth:
        token = await log_in(auth)
        slow = Slow(auth.verify_credential._verify)
        guard = RememberingVerifier(slow, auth.feed, profile=Profile, size=10)  # type: ignore[arg-type]  # as slow as can be
        in_flight = asyncio.create_task(guard(token))
        await slow.has_read.wait()
        await log_out(auth, (await auth.verify_credential(token)).principal)
        slow.may_go.set()
        assert (await in_flight).principal.is_first_party_user  # it was good when it was asked
        with pytest.raises(InvalidToken):
            await guard(token)


async def test_a_revocation_of_another_process_reaches_what_is_in_flight_here(start: Start, database_url: str) -> None:
    async with start(database_url) as here, start(database_url) as there:
        token = await log_in(here)
        slow = Slow(here.verify_credential._verify)
        guard = RememberingVerifier(slow, here.feed, profile=Profile, size=10)  # type: ignore[arg-type]  # as slow as can be
        in_flight = asyncio.create_task(guard(token))
        await slow.has_read.wait()
        verified = await there.verify_credential(token)
        async with here.feed.waiting(verified.keys) as touched:
            await log_out(there, verified.principal)
            await asyncio.wait_for(touched.wait(), 5)
        slow.may_go.set()
        await in_flight
        with pytest.raises(InvalidToken):
            await guard(token)


@pytest.mark.parametrize("how", ["logout", "disable", "delete", "everywhere", "profile"])
async def test_row_19_what_one_process_ends_is_ended_in_another(start: Start, database_url: str, how: str) -> None:
    async with start(database_url) as here, start(database_url) as there:
        token = await log_in(here)
        principal = (await there.verify_credential(token)).principal
        assert principal.user_id is not None
        await there.verify_credential(token)
        assert (there.verify_credential.hits, there.verify_credential.misses) == (1, 1)
        if how == "logout":
            await log_out(here, principal)
        elif how == "everywhere":
            await here.sessions.end_all(principal.user_id)
        elif how == "profile":
            await here.users.update_profile(principal.user_id, {})
        else:
            await getattr(here.users, how)(principal.user_id)
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            try:
                await there.verify_credential(token)
            except InvalidToken:
                break
            if there.verify_credential.misses == 2:
                break
            await asyncio.sleep(0.01)
        if how == "profile":
            assert there.verify_credential.misses == 2, "the changed user was read again"
        else:
            with pytest.raises(InvalidToken):
                await there.verify_credential(token)


async def test_a_remembered_token_expires(start: Start, sqlite_url: str) -> None:
    async with start(sqlite_url) as auth:
        token = await log_in(auth)
        now = time.time()
        guard = RememberingVerifier(
            auth.verify_credential._verify, auth.feed, profile=Profile, size=10, clock=lambda: now
        )
        expires_at = (await guard(token)).principal.expires_at.timestamp()
        now = expires_at - 0.5
        await guard(token)
        assert guard.hits == 1
        now = expires_at
        await guard(token)  # asked again, by a verifier whose own clock says it is still good
        assert guard.misses == 2


async def test_no_more_is_remembered_than_the_setting_says(start: Start, sqlite_url: str) -> None:
    async with start(sqlite_url, remembered_tokens=2) as auth:
        first, second, third = [await log_in(auth) for _ in range(3)]
        verify = auth.verify_credential
        for token in (first, second, first, third, first):  # the second is the least recently used
            await verify(token)
        assert (verify.hits, verify.misses) == (2, 3)
        await verify(second)
        assert verify.misses == 4
    async with start(sqlite_url, remembered_tokens=0) as auth:
        for _ in range(2):
            await auth.verify_credential(first)
        assert (auth.verify_credential.hits, auth.verify_credential.misses) == (0, 2)


async def test_a_token_that_is_not_good_is_not_remembered(start: Start, sqlite_url: str) -> None:
    async with start(sqlite_url) as auth:
        for _ in range(2):
            with pytest.raises(InvalidToken):
                await auth.verify_credential("x.y.z")
        assert len(auth.verify_credential._callers) == 0


async def test_beyond_the_staleness_bound_the_database_is_asked_and_without_one_nobody_is_let_in(
    start: Start, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with start(sqlite_url) as auth:
        token = await log_in(auth)
        await auth.verify_credential(token)
        monkeypatch.setattr(auth.feed, "_read_at", time.monotonic() + 3600)  # fresh, whatever it reads
        await auth.verify_credential(token)
        assert auth.verify_credential.hits == 1
        monkeypatch.setattr(auth.feed, "staleness", -1e9)  # stale, whatever it reads
        await auth.verify_credential(token)
        assert auth.verify_credential.misses == 2

        async with auth.open_session.storage.connection(writes=True) as connection:
            await connection.execute(text("ALTER TABLE watchword_session RENAME TO elsewhere"))
        with pytest.raises(StorageDown):
            await auth.verify_credential(token)


@pytest.mark.parametrize("how", ["logout", "everywhere", "disable"])
async def test_a_principal_ends_when_it_is_revoked_anywhere(start: Start, database_url: str, how: str) -> None:
    async with start(database_url) as here, start(database_url) as there:
        principal = (await here.verify_credential(await log_in(here))).principal
        other = (await here.verify_credential(await log_in(here, "bob@example.com"))).principal
        ending, staying = (asyncio.create_task(each.ended()) for each in (principal, other))
        await asyncio.sleep(0.05)
        assert not ending.done()
        assert principal.user_id is not None
        if how == "logout":
            await log_out(there, principal)
        elif how == "everywhere":
            await there.sessions.end_all(principal.user_id)
        else:
            await there.users.disable(principal.user_id)
        await asyncio.wait_for(ending, 5)
        assert not staying.done()
        staying.cancel()


async def test_a_principal_survives_a_changed_profile_and_an_interrupted_feed(start: Start, database_url: str) -> None:
    async with start(database_url) as auth:
        principal = (await auth.verify_credential(await log_in(auth))).principal
        assert principal.user_id is not None
        ending = asyncio.create_task(principal.ended())
        await asyncio.sleep(0.05)
        await auth.users.update_profile(principal.user_id, {})
        auth.feed._interrupt()
        await asyncio.sleep(0.3)
        assert not ending.done()
        await log_out(auth, principal)
        await asyncio.wait_for(ending, 5)
        assert auth.feed._waiting.keys() == {"everything:"}, "for the signing keys"


async def test_a_principal_ends_when_its_token_expires(start: Start, sqlite_url: str) -> None:
    async with start(sqlite_url, access_token_lifetime="2") as auth:
        principal = (await auth.verify_credential(await log_in(auth))).principal
        started = time.monotonic()
        await asyncio.wait_for(principal.ended(), 5)
        assert time.monotonic() - started > 0.5


async def test_a_principal_ends_when_nobody_can_tell_any_more(
    start: Start, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with start(sqlite_url) as auth:
        principal = (await auth.verify_credential(await log_in(auth))).principal
        ending = asyncio.create_task(principal.ended())
        await asyncio.sleep(0.05)
        async with auth.open_session.storage.connection(writes=True) as connection:
            await connection.execute(text("ALTER TABLE watchword_session RENAME TO elsewhere"))
        monkeypatch.setattr(auth.feed, "staleness", -1e9)
        auth.feed._interrupt()
        await asyncio.wait_for(ending, 5)


async def test_a_principal_that_no_guard_made_cannot_tell_when_it_ends(start: Start, sqlite_url: str) -> None:
    async with start(sqlite_url) as auth:
        bare = (await auth.verify_credential._verify(await log_in(auth))).principal
        with pytest.raises(RuntimeError, match="came from no guard"):
            await bare.ended()


def test_a_socket_is_closed_when_its_user_logs_out(database_url: str) -> None:
    from fastapi import WebSocket
    from starlette.websockets import WebSocketDisconnect

    auth: Watchword[Any] = Watchword(make_settings(database_url), scopes=SCOPES)
    app = make_app(auth)

    @app.websocket("/live")
    async def live(websocket: WebSocket, principal: CurrentPrincipal) -> None:
        await websocket.accept()
        await websocket.send_text("open")
        await principal.ended()
        await websocket.close(4401)

    with Client(app) as client:
        client.sign_up()
        headers = client.log_in()
        with client.websocket_connect("/live", headers=headers) as socket:
            assert socket.receive_text() == "open"
            assert client.post("/auth/logout", headers=headers).status_code == 204
            with pytest.raises(WebSocketDisconnect) as closed:
                socket.receive_text()
            assert closed.value.code == 4401


async def test_a_principal_is_copied_and_written_as_the_value_it_is_and_shows_no_token(
    start: Start, sqlite_url: str
) -> None:
    async with start(sqlite_url) as auth:
        token = await log_in(auth)
        principal = (await auth.verify_credential(token)).principal
        assert "_watch" not in dataclasses.asdict(principal)
        for copied in (copy.deepcopy(principal), pickle.loads(pickle.dumps(principal))):  # noqa: S301 — our own
            assert dataclasses.asdict(copied) == dataclasses.asdict(principal)
        assert token not in repr(principal) + repr(getattr(principal, "_watch"))  # noqa: B009 — it is no public name
        with pytest.raises(RuntimeError, match="came from no guard"):
            await dataclasses.replace(principal).ended()


def test_a_route_may_answer_its_principal(sqlite_url: str) -> None:
    app = make_app(Watchword(make_settings(sqlite_url)))

    @app.get("/principal")
    async def principal(principal: CurrentPrincipal) -> Principal:
        return principal

    with Client(app) as client:
        client.sign_up()
        answer = client.get("/principal", headers=client.log_in())
        assert (answer.status_code, answer.json()["client_id"]) == (200, "first-party")


async def test_sockets_outlive_an_interruption_of_the_feed_alone_and_leave_connections_to_requests(
    start: Start, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with start(sqlite_url, database_pool_size=5) as auth:
        token = await log_in(auth)
        principal = (await auth.verify_credential(token)).principal
        sockets = [asyncio.create_task(principal.ended()) for _ in range(300)]
        await asyncio.sleep(0.05)
        with monkeypatch.context() as patch:
            patch.setattr(auth.feed, "staleness", -1e9)
            auth.feed._interrupt()
            for _ in range(20):
                await auth.verify_credential(token)
                await asyncio.sleep(0.05)
        assert not any(socket.done() for socket in sockets)
        await log_out(auth, principal)
        await asyncio.wait_for(asyncio.gather(*sockets), 10)


class Listing(BaseModel):
    """Frozen or not, its list can be changed."""

    model_config = {"frozen": True}
    names: list[str] = []


class Loose(BaseModel):
    name: str = ""


class Remembering(BaseModel):
    """Frozen, with something that is not."""

    model_config = {"frozen": True}
    _seen: list[str] = PrivateAttr(default_factory=list)


class Hashed(BaseModel):
    """A hash does not make it immutable."""

    name: str = ""

    @override
    def __hash__(self) -> int:
        return 1


class Open(BaseModel):
    model_config = {"frozen": True, "extra": "allow"}


class Nested(BaseModel):
    model_config = {"frozen": True}
    meta: dict[str, Any] = {}


@pytest.mark.parametrize("profile", [Listing, Loose, Remembering, Hashed, Open, Nested])
async def test_what_one_request_does_to_a_profile_no_other_sees(sqlite_url: str, profile: type[BaseModel]) -> None:
    auth: Watchword[Any] = Watchword(make_settings(sqlite_url), profile=profile)
    app = FastAPI()

    @app.get("/me")
    async def me(user: CurrentUser) -> Any:
        seen = [user.profile.model_dump(), list(getattr(user.profile, "_seen", ()))]
        match user.profile:
            case Listing(names=names):
                names.append("of another request")
            case Loose() | Hashed() as loose:
                loose.name = "of another request"
            case Remembering(_seen=seen_before):
                seen_before.append("of another request")
            case Open() as extended if extended.model_extra is not None:
                extended.model_extra["tags"].append("of another request")
            case Nested(meta=meta):
                meta["tags"].append("of another request")
        return seen

    auth.install(app)
    with Client(app) as client:
        given: dict[str, Any] = {}
        if profile in {Open, Nested}:
            given = {"tags": []} if profile is Open else {"meta": {"tags": []}}
        client.sign_up(profile=given)
        bearer = client.log_in()
        first, second, third = [client.get("/me", headers=bearer).json() for _ in range(3)]
    assert first == second == third == [profile(**given).model_dump(), []]
