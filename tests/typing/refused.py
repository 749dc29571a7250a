"""Wrong uses. Each line says which error it must be; mypy --strict complains of a comment without its error."""

from typing import Annotated

from fastapi import FastAPI, Security
from pydantic import BaseModel

from watchword import CurrentPrincipal, CurrentUser, User, Watchword, current_user, requires, requires_recent_login
from watchword.events import SessionReused, UserDisabled
from watchword.testing.plugin import AsUser


class AppProfile(BaseModel):
    nickname: str = ""


class NoModel:
    nickname: str = ""


AppUser = Annotated[User[AppProfile], Security(current_user)]
NoModelUser = Annotated[User[NoModel], Security(current_user)]  # type: ignore[type-var]

auth = Watchword(profile=AppProfile)
Watchword(profile=NoModel)  # type: ignore[type-var]
Watchword(profile=AppProfile())  # type: ignore[arg-type]
Watchword(scopes=["orders:read"])  # type: ignore[arg-type]
auth.install()  # type: ignore[call-arg]
requires(["orders:read"])  # type: ignore[arg-type]
requires_recent_login(5)  # type: ignore[call-arg]


def of_users(event: UserDisabled) -> None:
    print(event.session_id)  # type: ignore[attr-defined]


auth.on(SessionReused, of_users)  # type: ignore[arg-type]
auth.on("session_reused", print)  # type: ignore[arg-type]


async def guarded(user: CurrentUser, mine: AppUser, principal: CurrentPrincipal) -> None:
    print(user.profile.nickname)  # type: ignore[attr-defined]
    print(mine.profile.nick_name)  # type: ignore[attr-defined]
    mine.email = "bob@example.com"  # type: ignore[misc]
    principal.scopes.add("orders:read")  # type: ignore[attr-defined]
    print(principal.user_id.hex)  # type: ignore[union-attr]


async def host_code(app: FastAPI) -> None:
    found = await auth.users.find("alice@example.com")
    print(found.profile)  # type: ignore[union-attr]
    await auth.users.create("alice@example.com", profile=AppProfile())  # type: ignore[arg-type]
    await auth.users.get("alice@example.com")  # type: ignore[arg-type]


def test_of_a_host(as_user: AsUser) -> None:
    as_user(["orders:read"])  # type: ignore[call-arg]
