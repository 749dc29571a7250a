"""Back-channel logout: whatever ends a session, its client is told, once that is committed and until it listens."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from sqlalchemy import update
from tests.conftest import EMAIL, PASSWORD, Client, on_both
from tests.http.clients import call, claims_of
from tests.third_parties import ThirdParty, log_in
from typing_extensions import override

from watchword import Watchword
from watchword.background import Bell
from watchword.errors import StorageDown
from watchword.events import Event, Events, LogoutNoticeDelayed, LogoutNoticeFailed, LogoutNoticeSent
from watchword.flows.end_everything import EndEverything
from watchword.flows.prune import Prune
from watchword.flows.send_logout_notices import SendLogoutNotices
from watchword.identity import backchannel
from watchword.identity.backchannel import NotTold, tell
from watchword.model import OPENID, Device
from watchword.storage import Database
from watchword.storage.tables import logout_notice

NOBODY = "http://127.0.0.1:9/logout"  # a port that nobody listens on: what is to be sent stays
EVENT = "http://schemas.openid.net/event/backchannel-logout"


class Receiver:
    """A client's server on loopback."""

    def __init__(self) -> None:
        self.status = 200
        self.requests: Queue[tuple[str, dict[str, str], dict[str, list[str]]]] = Queue()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                receiver.requests.put((self.path, dict(self.headers), parse_qs(body)))
                self.send_response(receiver.status)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_POST  # noqa: N815 — the standard library's name

            @override
            def log_message(self, *_: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.uri = f"http://127.0.0.1:{self.server.server_port}/logout"

    def next(self) -> tuple[str, dict[str, str], str]:
        path, headers, form = self.requests.get(timeout=20)
        assert form.keys() == {"logout_token"}
        return path, headers, form["logout_token"][0]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    thread = threading.Thread(target=receiver.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield receiver
    receiver.server.shutdown()
    thread.join()
    receiver.server.server_close()


@pytest.fixture
def seen(auth: Watchword[Any]) -> "Queue[Event]":
    seen: Queue[Event] = Queue()
    for event in (LogoutNoticeSent, LogoutNoticeDelayed, LogoutNoticeFailed):
        auth.on(event, seen.put)
    return seen


@pytest.fixture
def shop(client: Client, alice: dict[str, Any], auth: Watchword[Any]) -> ThirdParty:
    return ThirdParty(client, auth, backchannel_logout_uri=NOBODY)


def waiting(client: Client, auth: Watchword[Any]) -> list[str]:
    """The sessions whose end is still to be told."""
    entries = call(client, auth.outbox.page)
    assert {entry.kind for entry in entries} <= {"logout_notice"}
    return [str(entry.id) for entry in entries]


@on_both
def test_a_client_is_told_in_a_form_with_a_token_that_its_library_verifies(
    client: Client, alice: dict[str, Any], auth: Watchword[Any], receiver: Receiver, seen: "Queue[Event]"
) -> None:
    shop = ThirdParty(client, auth, backchannel_logout_uri=receiver.uri, id_token_algorithm="ES256")
    tokens = shop.tokens(log_in(client, auth), scope="openid")
    assert shop.post("/auth/revoke", {"token": tokens["refresh_token"]}).status_code == 200
    path, headers, logout_token = receiver.next()
    assert (path, headers["Content-Type"]) == ("/logout", "application/x-www-form-urlencoded")
    token = jwt.decode(logout_token, KeySet.import_key_set(client.get("/auth/jwks").json()), algorithms=["ES256"])
    claims = token.claims
    assert token.header["typ"] == "logout+jwt"
    assert claims.keys() == {"iss", "sub", "aud", "iat", "exp", "jti", "sid", "events"}
    assert (claims["iss"], claims["sub"], claims["aud"]) == ("http://localhost:8000", alice["id"], shop.id)
    assert claims["sid"] == claims_of(tokens["id_token"])["sid"]
    assert (claims["events"], claims["exp"] - claims["iat"]) == ({EVENT: {}}, 120)
    sent = seen.get(timeout=20)
    assert isinstance(sent, LogoutNoticeSent)
    assert (sent.client_id, str(sent.session_id)) == (shop.id, claims["sid"])
    assert waiting(client, auth) == []
    # It is no credential: neither as access token nor as a hint of who is logged in.
    assert client.get("/who", headers={"Authorization": f"Bearer {logout_token}"}).status_code == 401
    assert client.get("/auth/end-session", params={"id_token_hint": logout_token}).status_code == 200


@on_both
def test_a_client_that_may_work_offline_is_told_that_the_user_logged_out(
    client: Client, auth: Watchword[Any], alice: dict[str, Any], receiver: Receiver
) -> None:
    """Its refresh token is good still: Back-Channel Logout §2.7."""
    shop = ThirdParty(client, auth, backchannel_logout_uri=receiver.uri)
    tokens = shop.tokens(log_in(client, auth), scope="openid offline_access")
    client.get("/auth/end-session", params={"id_token_hint": tokens["id_token"]})
    *_, logout_token = receiver.next()
    assert claims_of(logout_token)["sid"] == claims_of(tokens["id_token"])["sid"]
    tokens = shop.refresh(tokens["refresh_token"]).json()
    assert shop.post("/auth/revoke", {"token": tokens["refresh_token"]}).status_code == 200
    *_, logout_token = receiver.next()
    assert claims_of(logout_token)["sid"] == claims_of(tokens["id_token"])["sid"], "told again when it ended"


def _by_client(shop: ThirdParty, tokens: dict[str, Any], _sid: str, _me: dict[str, str]) -> None:
    shop.post("/auth/revoke", {"token": tokens["refresh_token"]})


def _by_user(shop: ThirdParty, _tokens: dict[str, Any], sid: str, me: dict[str, str]) -> None:
    assert shop.http.delete(f"/auth/sessions/{sid}", headers=me).status_code == 204


def _by_ending_others(shop: ThirdParty, _tokens: dict[str, Any], _sid: str, me: dict[str, str]) -> None:
    assert shop.http.delete("/auth/sessions", headers=me).status_code in {200, 204}


def _by_a_new_password(shop: ThirdParty, _tokens: dict[str, Any], _sid: str, me: dict[str, str]) -> None:
    body = {"current_password": PASSWORD, "new_password": "another battery staple"}
    assert shop.http.post("/auth/password/change", headers=me, json=body).status_code == 204


def _by_disabling(shop: ThirdParty, tokens: dict[str, Any], _sid: str, _me: dict[str, str]) -> None:
    call(shop.http, shop.auth.users.disable, UUID(claims_of(tokens["id_token"])["sub"]))


def _by_deleting(shop: ThirdParty, tokens: dict[str, Any], _sid: str, _me: dict[str, str]) -> None:
    call(shop.http, shop.auth.users.delete, UUID(claims_of(tokens["id_token"])["sub"]))


def _by_logging_out(shop: ThirdParty, tokens: dict[str, Any], _sid: str, _me: dict[str, str]) -> None:
    parameters = {"id_token_hint": tokens["id_token"]}
    assert shop.http.get("/auth/end-session", params=parameters, follow_redirects=False).status_code == 303


def _by_a_stolen_token(shop: ThirdParty, tokens: dict[str, Any], _sid: str, _me: dict[str, str]) -> None:
    fresh = tokens["refresh_token"]
    for _ in range(3):
        fresh = shop.refresh(fresh).json()["refresh_token"]
    assert shop.refresh(tokens["refresh_token"]).status_code == 400
    assert shop.refresh(fresh).status_code == 400


def _by_taking_it_back(shop: ThirdParty, tokens: dict[str, Any], _sid: str, _me: dict[str, str]) -> None:
    user_id = UUID(claims_of(tokens["id_token"])["sub"])
    call(shop.http, shop.auth.use_cases.manage_consents.revoke, user_id, shop.id)


def _by_a_restored_backup(shop: ThirdParty, _tokens: dict[str, Any], _sid: str, _me: dict[str, str]) -> None:
    call(shop.http, EndEverything(shop.auth.open_session.storage))


@on_both
@pytest.mark.parametrize(
    "end",
    [_by_client, _by_user, _by_ending_others, _by_a_new_password, _by_disabling, _by_deleting, _by_logging_out,
     _by_a_stolen_token, _by_taking_it_back, _by_a_restored_backup],
)  # fmt: skip
def test_whatever_ends_a_session_leaves_one_notice_of_it(
    client: Client, shop: ThirdParty, auth: Watchword[Any], end: Callable[..., None]
) -> None:
    me = client.log_in()
    tokens = shop.tokens(log_in(client, auth), scope="openid orders:read")
    sid = claims_of(tokens["id_token"])["sid"]
    assert waiting(client, auth) == []
    end(shop, tokens, sid, me)
    assert client.get("/orders", headers={"Authorization": f"Bearer {tokens['access_token']}"}).status_code == 401
    assert waiting(client, auth) == [sid]


@on_both
def test_who_need_not_know_is_not_told(client: Client, shop: ThirdParty, auth: Watchword[Any]) -> None:
    browser = log_in(client, auth)
    without_openid = shop.tokens(browser, scope="orders:read")
    silent = ThirdParty(client, auth)
    of_silent = silent.tokens(browser, scope="openid")
    closed = ThirdParty(client, auth, backchannel_logout_uri=NOBODY)
    closed.tokens(browser, scope="openid")
    call(client, auth.clients.disable, closed.id)
    client.log_in()
    assert shop.post("/auth/revoke", {"token": without_openid["refresh_token"]}).status_code == 200
    assert silent.post("/auth/revoke", {"token": of_silent["refresh_token"]}).status_code == 200
    call(client, auth.use_cases.end_browser_session, browser.user_id, [browser.id])
    assert waiting(client, auth) == []


@on_both
def test_what_was_told_is_not_told_again(
    client: Client, alice: dict[str, Any], auth: Watchword[Any], receiver: Receiver, seen: "Queue[Event]"
) -> None:
    shop = ThirdParty(client, auth, backchannel_logout_uri=receiver.uri)
    user_id = UUID(alice["id"])
    shop.tokens(log_in(client, auth), scope="openid")
    call(client, auth.users.disable, user_id)
    receiver.next()
    assert isinstance(seen.get(timeout=20), LogoutNoticeSent)
    call(client, auth.users.enable, user_id)
    call(client, auth.sessions.end_all, user_id)
    call(client, auth.users.delete, user_id)
    assert waiting(client, auth) == []
    assert receiver.requests.empty()


@on_both
def test_the_notice_is_in_the_transaction_that_ends_the_session(
    client: Client, shop: ThirdParty, auth: Watchword[Any]
) -> None:
    tokens = shop.tokens(log_in(client, auth), scope="openid")
    sid = UUID(claims_of(tokens["id_token"])["sid"])

    async def half() -> None:
        async with auth.open_session.storage.transaction() as stores:
            assert await stores.sessions.end([sid]) == [sid]
            raise StorageDown

    with pytest.raises(StorageDown):
        call(client, half)
    assert waiting(client, auth) == []
    assert shop.refresh(tokens["refresh_token"]).status_code == 200


@pytest.mark.parametrize("status", [302, 400, 503])
def test_a_client_that_does_not_take_it_is_told_again(
    client: Client, alice: dict[str, Any], auth: Watchword[Any], receiver: Receiver, seen: "Queue[Event]", status: int
) -> None:
    receiver.status = status
    shop = ThirdParty(client, auth, backchannel_logout_uri=receiver.uri)
    tokens = shop.tokens(log_in(client, auth), scope="openid")
    shop.post("/auth/revoke", {"token": tokens["refresh_token"]})
    _, _, first = receiver.next()
    delayed = seen.get(timeout=20)
    assert isinstance(delayed, LogoutNoticeDelayed)
    assert (delayed.attempts, delayed.reason) == (1, f"it answered {status}")
    (entry,) = call(client, auth.outbox.page)
    assert (entry.attempts, entry.last_error) == (1, f"it answered {status}")
    assert receiver.requests.empty(), "no redirect is followed"
    receiver.status = 204
    assert call(client, auth.outbox.retry, entry.id) == 1
    call(client, auth.users.disable, UUID(alice["id"]))  # rings the bell
    _, _, second = receiver.next()
    assert claims_of(second)["jti"] != claims_of(first)["jti"]
    assert isinstance(seen.get(timeout=20), LogoutNoticeSent)


@pytest.mark.anyio
async def test_of_several_processes_each_notice_is_sent_by_one(database_url: str, start: Callable[..., Any]) -> None:
    told: list[str] = []
    heard: list[Event] = []

    async def take(_uri: str, token: str) -> None:
        await asyncio.sleep(0)
        told.append(claims_of(token)["sid"])

    async with start(database_url) as auth:  # it is installed in no app, so it sends nothing itself
        storage = auth.open_session.storage
        user = await auth.users.create(EMAIL, PASSWORD)
        client, _ = await auth.clients.create("x", grants=["refresh_token"], backchannel_logout_uri=NOBODY)
        async with storage.reading() as stores:
            account = await stores.users.get(user.id)
        sids = set()
        for _ in range(25):
            issued = await auth.open_session(account, client, scopes=frozenset({OPENID}), amr=("pwd",), device=Device())
            sids.add(claims_of(issued.access_token)["sid"])
        await auth.users.disable(user.id)
        events = Events()
        events.on(Event, heard.append)
        others = [Database(database_url) for _ in range(4)]

        async def work(other: Database) -> None:
            send = SendLogoutNotices(other, auth.open_session.issue, take, events, Bell())
            while await send():
                pass

        await asyncio.gather(*map(work, others))
        for other in others:
            await other.close()
        assert await auth.outbox.page() == []
    assert len(told) == 25
    assert set(told) == sids
    assert {type(event) for event in heard} == {LogoutNoticeSent}


def test_what_was_of_no_use_any_more_is_given_up_told_and_deleted_after_a_week(
    client: Client, shop: ThirdParty, auth: Watchword[Any], seen: "Queue[Event]"
) -> None:
    tokens = shop.tokens(log_in(client, auth), scope="openid")
    shop.post("/auth/revoke", {"token": tokens["refresh_token"]})
    assert isinstance(seen.get(timeout=20), LogoutNoticeDelayed)
    storage = auth.open_session.storage

    async def move(**by: float) -> None:
        async with storage.connection(writes=True) as connection:
            row = (await connection.execute(logout_notice.select())).one()
            moments = {name: getattr(row, name) for name in ("next_attempt_at", "expires_at")}
            moved = {name: moment - timedelta(**by) for name, moment in moments.items() if moment is not None}
            await connection.execute(update(logout_notice).values(moved))

    async def later(**by: float) -> int:
        await move(**by)
        pruned = await Prune(storage, timedelta(days=30))()
        return pruned.logout_notices

    assert call(client, later, days=1, hours=1) == 0
    call(client, shop.auth.users.disable, UUID(claims_of(tokens["id_token"])["sub"]))  # rings the bell
    failed = seen.get(timeout=20)
    assert isinstance(failed, LogoutNoticeFailed)
    assert failed.attempts == 1
    (entry,) = call(client, auth.outbox.page)
    assert entry.next_attempt_at is None
    assert call(client, later, days=8) == 1
    assert waiting(client, auth) == []


def test_no_proxy_of_the_environment_is_asked(
    client: Client, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    call(client, tell, receiver.uri, "a token")
    assert receiver.next()[2] == "a token"


def test_who_answers_nothing_holds_nothing_up(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backchannel, "_TIMEOUT_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as mute, pytest.raises(NotTold, match="Timeout"):
        call(client, tell, f"http://127.0.0.1:{mute.getsockname()[1]}/", "a token")


def test_who_answers_a_byte_now_and_then_keeps_no_thread(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backchannel, "_TIMEOUT_SECONDS", 0.3)
    are_gone = threading.Semaphore(0)

    def drip(connection: socket.socket) -> None:
        with connection:
            connection.recv(4096)
            try:
                connection.sendall(b"HTTP/1.1 200 OK"[:8])
                while True:
                    connection.sendall(b"1")
                    time.sleep(0.05)
            except OSError:
                are_gone.release()

    with socket.create_server(("127.0.0.1", 0)) as slow:

        def accept() -> None:
            for _ in range(2):
                threading.Thread(target=drip, args=(slow.accept()[0],), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        for _ in range(2):
            with pytest.raises(NotTold, match="Timeout"):
                call(client, tell, f"http://127.0.0.1:{slow.getsockname()[1]}/", "a token")
        assert all(are_gone.acquire(timeout=5) for _ in range(2))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 103 Early Hints\r\nLink: </>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", None),
        (b"HTTP/1.0 200\r\n\r\n", None),
        (b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n", "it answered 302"),
        (b"HTTP/1.1 200 OK", "ConnectionResetError"),
        (b"", "ConnectionResetError"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "ConnectionError"),
        (b"x" * 100_000, "ValueError"),
    ],
)
def test_what_is_answered_is_a_success_or_not(client: Client, answer: bytes, said: str | None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection = server.accept()[0]
            with connection, suppress(OSError):
                connection.recv(4096)
                connection.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        uri = f"http://127.0.0.1:{server.getsockname()[1]}/"
        if said is None:
            call(client, tell, uri, "a token")
        else:
            with pytest.raises(NotTold, match=said):
                call(client, tell, uri, "a token")
