"""Roles over HTTP: what a login may carry, and that a change is in force for tokens that are out already."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from tests.conftest import EMAIL, PASSWORD, Client, make_app, make_settings

from watchword import ConfigurationError, InvalidInput, NotFound, Watchword, requires, requires_role
from watchword.events import Event, RoleChanged, RoleDeleted, RoleGiven, RoleTaken

SCOPES = {"orders:read": "Read orders", "orders:write": "Write orders", "reports:read": "Read reports"}


class Shop(Client):
    """A client of an app with roles, and what only host code can do."""

    watchword: Watchword[Any]
    alice: UUID

    def run(self, call: Callable[[Watchword[Any]], Awaitable[Any]]) -> Any:
        async def called() -> Any:
            return await call(self.watchword)

        assert self.portal is not None
        return self.portal.call(called)

    def give(self, role: str) -> None:
        self.run(lambda auth: auth.roles.give(self.alice, role))

    def take(self, role: str) -> None:
        self.run(lambda auth: auth.roles.take(self.alice, role))

    def create(self, role: str, *scopes: str) -> None:
        self.run(lambda auth: auth.roles.create(role, scopes))

    def granted(self, **fields: str) -> list[str]:
        answer = self.ask_token(**fields)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["scope"]).split()


def shop_app(auth: Watchword[Any]) -> FastAPI:
    app = make_app(auth)

    @app.get("/write", dependencies=[requires("orders:write")])
    async def write() -> str:
        return "written"

    @app.get("/admin", dependencies=[requires("admin")])
    async def admin() -> str:
        return "admin"

    @app.get("/editors", dependencies=[requires_role("editor")])
    async def editors() -> str:
        return "editor"

    return app


def open_shop(stack: ExitStack, url: str, **changes: Any) -> Shop:
    auth: Watchword[Any] = Watchword(make_settings(url, **changes), scopes=SCOPES)
    shop = stack.enter_context(Shop(shop_app(auth)))
    shop.watchword = auth
    return shop


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    with ExitStack() as stack:
        shop = open_shop(stack, database_url)
        shop.alice = UUID(shop.sign_up()["id"])
        yield shop


def test_a_new_user_may_do_what_the_app_declares_and_is_no_admin(shop: Shop) -> None:
    assert shop.granted() == sorted(SCOPES)
    assert shop.get("/auth/me", headers=shop.log_in()).json()["roles"] == ["user"]
    assert shop.granted(scope="admin orders:read") == ["orders:read"]
    assert shop.ask_token(scope="admin").json()["error"] == "invalid_scope"


def test_a_login_is_granted_what_was_asked_for_and_the_roles_allow(shop: Shop) -> None:
    shop.create("editor", "orders:read", "orders:write")
    shop.create("auditor", "orders:read", "reports:read")
    shop.take("user")
    assert shop.granted() == []
    shop.give("editor")
    assert shop.granted() == ["orders:read", "orders:write"]
    assert shop.granted(scope="orders:write reports:read") == ["orders:write"]
    assert shop.ask_token(scope="reports:read").json()["error"] == "invalid_scope"
    shop.give("auditor")
    assert shop.granted() == ["orders:read", "orders:write", "reports:read"]


def test_admin_is_given_to_those_who_have_it_and_ask(shop: Shop) -> None:
    shop.give("admin")
    assert shop.granted() == sorted(SCOPES)
    assert shop.granted(scope="admin") == ["admin"]
    assert shop.get("/admin", headers=shop.log_in()).status_code == 403
    assert shop.get("/admin", headers=shop.log_in(scope="admin")).status_code == 200


def lose_by_taking(shop: Shop) -> None:
    shop.take("editor")


def lose_by_replacing(shop: Shop) -> None:
    shop.run(lambda auth: auth.roles.set_scopes("editor", ["orders:read"]))


def lose_by_deleting(shop: Shop) -> None:
    shop.run(lambda auth: auth.roles.delete("editor"))


LOSSES = [lose_by_taking, lose_by_replacing, lose_by_deleting]


@pytest.mark.parametrize("lose", LOSSES)
def test_what_is_taken_is_refused_to_a_token_that_is_remembered(shop: Shop, lose: Callable[[Shop], None]) -> None:
    shop.create("editor", "orders:write")
    shop.take("user")
    shop.give("editor")
    bearer = shop.log_in()
    for _ in range(2):
        assert shop.get("/write", headers=bearer).status_code == 200
    lose(shop)
    refused = shop.get("/write", headers=bearer)
    assert refused.status_code == 403
    assert 'error="insufficient_scope"' in refused.headers["WWW-Authenticate"]
    assert 'scope="orders:write"' in refused.headers["WWW-Authenticate"]
    assert shop.get("/mine", headers=bearer).status_code == 200, "the login itself goes on"


@pytest.mark.parametrize("lose", LOSSES)
def test_what_is_taken_in_one_process_is_refused_in_another(database_url: str, lose: Callable[[Shop], None]) -> None:
    with ExitStack() as stack:
        here, there = open_shop(stack, database_url), open_shop(stack, database_url)
        here.alice = UUID(here.sign_up()["id"])
        here.create("editor", "orders:write")
        here.take("user")
        here.give("editor")
        bearer = here.log_in()
        assert there.get("/write", headers=bearer).status_code == 200
        lose(here)
        deadline = time.monotonic() + 1 + 2  # the staleness bound, and a slow machine
        while there.get("/write", headers=bearer).status_code == 200:
            assert time.monotonic() < deadline
        assert there.get("/write", headers=bearer).status_code == 403


def test_what_is_given_widens_no_token_that_is_out(shop: Shop) -> None:
    shop.create("reader", "orders:read")
    shop.take("user")
    shop.give("reader")
    bearer = shop.log_in()
    shop.give("user")
    assert shop.get("/write", headers=bearer).status_code == 403
    assert shop.get("/write", headers=shop.log_in()).status_code == 200


def test_a_refresh_gives_what_the_roles_allow_at_that_moment(shop: Shop) -> None:
    first = shop.ask_token().json()

    def refresh(token: str) -> dict[str, Any]:
        answer: dict[str, Any] = shop.post("/auth/refresh", json={"refresh_token": token}).json()
        return answer

    shop.create("reader", "orders:read")
    shop.give("reader")
    shop.take("user")
    second = refresh(first["refresh_token"])
    assert second["scope"] == "orders:read"
    assert refresh(first["refresh_token"])["scope"] == "orders:read", "a retry too"
    shop.take("reader")
    third = refresh(second["refresh_token"])
    assert third["scope"] == ""
    shop.give("user")
    assert refresh(third["refresh_token"])["scope"].split() == sorted(SCOPES), "the login was granted it"


def test_a_role_can_be_asked_for_by_name(shop: Shop) -> None:
    shop.create("editor")
    bearer = shop.log_in()
    assert shop.get("/editors").status_code == 401
    assert shop.get("/editors", headers=bearer).status_code == 403
    shop.give("editor")
    assert shop.get("/editors", headers=bearer).status_code == 200
    shop.take("editor")
    assert shop.get("/editors", headers=bearer).status_code == 403


def test_what_becomes_of_roles_is_told(shop: Shop) -> None:
    seen: list[Event] = []
    shop.watchword.on(Event, seen.append)
    shop.create("editor", "orders:write")
    shop.give("editor")
    shop.give("editor")
    shop.take("editor")
    shop.take("editor")
    shop.run(lambda auth: auth.roles.delete("editor"))
    assert [type(event) for event in seen] == [RoleChanged, RoleGiven, RoleTaken, RoleDeleted]


def test_members_and_roles_are_listed_page_by_page(shop: Shop) -> None:
    for name in ("b", "a", "c"):
        shop.create(name, "orders:read")
        shop.give(name)
    shop.sign_up("bob@example.com")
    first = shop.run(lambda auth: auth.roles.page(limit=3))
    rest = shop.run(lambda auth: auth.roles.page(after=first[-1].name))
    assert [role.name for role in (*first, *rest)] == ["a", "admin", "b", "c", "user"]
    assert [user.email for user in shop.run(lambda auth: auth.roles.members("a"))] == [EMAIL]
    everybody = shop.run(lambda auth: auth.roles.members("user", limit=1))
    others = shop.run(lambda auth: auth.roles.members("user", after=everybody[0].id))
    assert {user.email for user in (*everybody, *others)} == {EMAIL, "bob@example.com"}


def test_a_role_has_a_plain_name_and_allows_scopes(shop: Shop) -> None:
    for name in ("", " ", "a b", "ä", "x" * 65, "-x", 'a"b', "a\nb"):
        with pytest.raises(InvalidInput):
            shop.create(name)
    for scope in ("", "a b", 'a"b', "ä", "openid", "2fa", "offline_access"):
        with pytest.raises(InvalidInput):
            shop.create("editor", scope)
        with pytest.raises(InvalidInput):
            shop.run(lambda auth, scope=scope: auth.roles.set_scopes("user", [scope]))  # type: ignore[misc]
    with pytest.raises(InvalidInput):
        shop.run(lambda auth: auth.roles.create("editor", [], description="a\x00b"))


def test_what_there_is_not_is_said(shop: Shop) -> None:
    nobody = UUID(int=0)
    for call in (
        lambda auth: auth.roles.give(shop.alice, "nothing"),
        lambda auth: auth.roles.give(nobody, "user"),
        lambda auth: auth.roles.take(nobody, "user"),
        lambda auth: auth.roles.set_scopes("nothing", []),
        lambda auth: auth.roles.delete("nothing"),
        lambda auth: auth.roles.members("nothing"),
    ):
        with pytest.raises(NotFound):
            shop.run(call)
    for refused in (
        lambda auth: auth.roles.create("user", []),
        lambda auth: auth.roles.delete("user"),
        lambda auth: auth.users.create("carol@example.com", PASSWORD, roles=["nothing"]),
    ):
        with pytest.raises(InvalidInput):
            shop.run(refused)


def test_settings_make_roles_that_there_are_not_and_change_none(
    sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    roles = {"editor": ["orders:write"]}
    with ExitStack() as stack:
        shop = open_shop(stack, sqlite_url, roles=roles, default_role="editor")
        shop.sign_up()
        assert shop.granted() == ["orders:write"]
        shop.run(lambda auth: auth.roles.set_scopes("editor", ["reports:read"]))
    with ExitStack() as stack:
        shop = open_shop(stack, sqlite_url, roles=roles, default_role="")
        assert shop.granted() == ["reports:read"]
        shop.sign_up("bob@example.com")
        assert shop.granted(email="bob@example.com") == []
        assert "role editor allows ['reports:read'], and not what WATCHWORD_ROLES says" in caplog.text


@pytest.mark.parametrize("name", ["user", "admin"])
def test_a_setting_that_would_narrow_what_is_always_there_is_refused(sqlite_url: str, name: str) -> None:
    with pytest.raises(ValueError, match="watchword roles set"):
        make_settings(sqlite_url, roles={name: ["orders:read"]})


def test_a_role_of_new_users_that_there_is_not_ends_the_start(sqlite_url: str) -> None:
    with pytest.raises(ConfigurationError, match="WATCHWORD_DEFAULT_ROLE is nothing"), ExitStack() as stack:
        open_shop(stack, sqlite_url, default_role="nothing")


@pytest.mark.anyio
async def test_two_who_replace_a_roles_scopes_leave_those_of_one(start: Callable[..., Any], database_url: str) -> None:
    async with start(database_url) as auth:
        await auth.roles.create("editor", [])
        for _ in range(5):
            await asyncio.gather(
                *(auth.roles.set_scopes("editor", [f"s{n}:read", f"s{n}:write"]) for n in range(6)),
            )
            [role] = [role for role in await auth.roles.page() if role.name == "editor"]
            assert len({scope.partition(":")[0] for scope in role.scopes}) == 1
            assert len(role.scopes) == 2


@pytest.mark.anyio
async def test_a_role_that_is_deleted_while_it_is_given_is_given_or_not_there(
    start: Callable[..., Any], database_url: str
) -> None:
    async with start(database_url) as auth:
        users = [await auth.users.create(f"u{n}@example.com") for n in range(6)]
        for _ in range(5):
            await auth.roles.create("editor", [])
            outcomes = await asyncio.gather(
                *(auth.roles.give(user.id, "editor") for user in users), auth.roles.delete("editor"),
                auth.users.create(f"{time.monotonic_ns()}@example.com", roles=["editor"]), return_exceptions=True,
            )  # fmt: skip
            unexpected = [each for each in outcomes if isinstance(each, Exception)]
            assert all(isinstance(each, NotFound | InvalidInput) for each in unexpected), unexpected
