"""Code as a user of Watchword writes it: mypy --strict finds nothing."""

from typing import Annotated, assert_type
from uuid import UUID

from fastapi import APIRouter, FastAPI, Security, WebSocket
from pydantic import BaseModel
from sqlalchemy import ForeignKey, MetaData, Table, Uuid
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.schema import Column
from starlette.testclient import TestClient

from watchword import (
    CurrentPrincipal,
    CurrentUser,
    EmailTaken,
    Principal,
    Profile,
    Session,
    Settings,
    User,
    Watchword,
    current_principal,
    current_user,
    requires,
    requires_recent_login,
    user_id_column,
)
from watchword.events import Event, SessionReused
from watchword.testing.plugin import AsUser


class AppProfile(BaseModel):
    nickname: str = ""
    age: int | None = None


plain = Watchword()
assert_type(plain, Watchword[Profile])
assert_type(Watchword(Settings(), scopes={"orders:read": "Read orders"}), Watchword[Profile])

auth = Watchword(scopes={"orders:read": "Read orders"}, profile=AppProfile)
assert_type(auth, Watchword[AppProfile])

app = FastAPI(lifespan=auth.lifespan)
auth.install(app)
auth.document(FastAPI())

AppUser = Annotated[User[AppProfile], Security(current_user)]
Reader = Annotated[User[AppProfile], Security(current_user, scopes=["orders:read"])]
Service = Annotated[Principal, Security(current_principal, scopes=["orders:read"])]

router = APIRouter(dependencies=[requires("orders:read", "orders:write")])


@app.get("/me")
async def me(user: CurrentUser) -> str:
    assert_type(user, User[Profile])
    assert_type(user.id, UUID)
    return user.email


@app.get("/nickname", dependencies=[requires("orders:read"), requires_recent_login(minutes=5)])
async def nickname(user: AppUser) -> str:
    assert_type(user.profile, AppProfile)
    assert_type(user.profile.age, int | None)
    return user.profile.nickname


@router.get("/orders")
async def orders(user: Reader, service: Service, principal: CurrentPrincipal) -> list[str]:
    assert_type(principal, Principal)
    assert_type(service.user_id, UUID | None)
    return [user.profile.nickname, *sorted(principal.scopes)]


@app.websocket("/live")
async def live(socket: WebSocket, user: AppUser) -> None:
    await socket.accept()
    await socket.send_text(user.profile.nickname)


async def warn(event: SessionReused) -> None:
    assert_type(event.user_id, UUID)


def count(event: Event) -> None:
    print(event.name(), event.fields())


auth.on(SessionReused, warn)
auth.on(SessionReused, count)
auth.on(Event, count)


@app.websocket("/stay")
async def stay(socket: WebSocket, principal: CurrentPrincipal) -> None:
    await socket.accept()
    await principal.ended()


async def host_code(user_id: UUID) -> str:
    assert_type(await auth.users.get(user_id), User[AppProfile] | None)
    assert_type(await plain.users.find("alice@example.com"), User[Profile] | None)
    try:
        user = await auth.users.create("alice@example.com", profile={"nickname": "Al"})
    except EmailTaken as error:
        return error.text
    assert_type(user, User[AppProfile])
    for each in await auth.users.page(limit=10):
        assert_type(each.profile.nickname, str)
    for session in await auth.sessions.list(user.id):
        assert_type(session, Session)
        assert_type(session.device.address, str | None)
        await auth.sessions.end(user.id, session.id)
    await auth.sessions.end_all(user.id)
    await auth.users.delete(user.id)
    return user.profile.nickname


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey(user_id_column))


invoices = Table("invoices", MetaData(), Column("user_id", Uuid, ForeignKey(user_id_column)))


def test_of_a_host(as_user: AsUser, anonymous: TestClient) -> None:
    client = as_user(scopes=["orders:read"], email="alice@example.com", profile={"nickname": "Al"})
    with client as again:
        assert again.get("/orders").status_code == anonymous.get("/public").status_code
    assert_type(client.user.id, UUID)
