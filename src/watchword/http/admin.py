"""`/admin`: users, roles and sessions, for those whose login carries the scope `admin`. Events tell who did what.

Only a login to the host application itself gets in: no third party's token and no API key can mint a wider credential.
"""

from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request

from watchword.errors import NotFound
from watchword.events import By
from watchword.guard.dependencies import CurrentAdmin, requires_recent_login
from watchword.http.account import Text
from watchword.http.bodies import JsonAnswer, JsonRequest
from watchword.http.device import device_of
from watchword.http.responses import ErrorAnswer, UserAnswer
from watchword.http.route import JsonRoute
from watchword.http.sessions import SessionsAnswer
from watchword.http.use_cases import use_cases
from watchword.model import Principal, Role

PAGE: Final = 100
NO: Final[dict[int | str, dict[str, Any]]] = {status: {"model": ErrorAnswer} for status in (404, 422, 503)}
router = APIRouter(prefix="/admin", route_class=JsonRoute, tags=["admin"], responses=NO)

Limit = Annotated[int, Query(ge=1, le=PAGE)]


async def _by(request: Request, admin: CurrentAdmin) -> By:
    return By(actor=admin.subject, device=device_of(request))


ByAdmin = Annotated[By, Depends(_by)]
"""Lets administrators in; what they do is done in their name."""


async def _by_recent(by: ByAdmin, _login: Annotated[Principal, requires_recent_login(minutes=5)]) -> By:
    return by


ByRecentAdmin = Annotated[By, Depends(_by_recent)]
"""The same for what gives somebody a credential: a stolen access token is not enough."""


class UsersAnswer(JsonAnswer):
    """A page of users, by their addresses.

    Attributes:
        next: What to send as `after` for the next page; null on the last one.
    """

    items: list[UserAnswer]
    next: str | None


class RoleAnswer(JsonAnswer):
    """A named set of scopes."""

    name: str
    description: str
    scopes: list[str]

    @classmethod
    def of(cls, role: Role) -> "RoleAnswer":
        """A role."""
        return cls(name=role.name, description=role.description, scopes=sorted(role.scopes))


class RolesAnswer(JsonAnswer):
    """A page of roles, by name.

    Attributes:
        next: What to send as `after` for the next page; null on the last one.
    """

    items: list[RoleAnswer]
    next: str | None


class EventAnswer(JsonAnswer):
    """Something that happened.

    Attributes:
        name: Such as `user_disabled`.
        actor: The `sub` of the administrator who did it; null where the user did, host code or the command line.
        user_id: Whom it is about.
        fields: What else is known.
    """

    id: UUID
    name: str
    at: datetime
    actor: str | None
    user_id: UUID | None
    fields: dict[str, Any]


class EventsAnswer(JsonAnswer):
    """A page of events, the newest first.

    Attributes:
        next: What to send as `before` for the next page; null on the last one.
    """

    items: list[EventAnswer]
    next: UUID | None


class NewRole(JsonRequest):
    """A role to make. `*` among the scopes is all that the app declares."""

    name: str
    description: str = ""
    scopes: list[str]


class RoleScopes(JsonRequest):
    """What a role allows from now on."""

    scopes: list[str]


@router.get("/users")
async def list_users(
    request: Request,
    _admin: CurrentAdmin,
    email: Annotated[Text, Query(description="How the address begins.", max_length=320)] = "",
    after: Annotated[Text | None, Query(max_length=320)] = None,
    limit: Limit = PAGE,
) -> UsersAnswer:
    """All users, or those whose address begins so."""
    page = await use_cases(request).find_user.search(email, after=after, limit=limit)
    return UsersAnswer(
        items=[UserAnswer.of(account) for account in page.accounts], next=page.last if page.is_full else None
    )


@router.get("/users/{user_id}")
async def get_user(request: Request, _admin: CurrentAdmin, user_id: UUID) -> UserAnswer:
    """One user."""
    account = await use_cases(request).find_user.by_id(user_id)
    if account is None:
        raise NotFound(f"no user {user_id}")
    return UserAnswer.of(account)


@router.post("/users/{user_id}/disable")
async def disable_user(request: Request, by: ByAdmin, user_id: UUID) -> UserAnswer:
    """Shut a user out at once; every token ends."""
    return UserAnswer.of(await use_cases(request).set_active(user_id, active=False, by=by))


@router.post("/users/{user_id}/enable")
async def enable_user(request: Request, by: ByAdmin, user_id: UUID) -> UserAnswer:
    """Let a disabled user log in again."""
    return UserAnswer.of(await use_cases(request).set_active(user_id, active=True, by=by))


@router.post("/users/{user_id}/reset-2fa")
async def reset_second_factor(request: Request, by: ByRecentAdmin, user_id: UUID) -> UserAnswer:
    """Remove the second factor of a user who lost it, recovery codes too; all their sessions end.

    The administrator's login must not be older than five minutes.
    """
    return UserAnswer.of(await use_cases(request).manage_second_factor.reset(user_id, by=by))


@router.delete("/users/{user_id}", status_code=204, responses={409: {"model": ErrorAnswer}})
async def delete_user(request: Request, by: ByAdmin, user_id: UUID) -> None:
    """Delete a user, and whatever of ours belongs to them."""
    await use_cases(request).delete_user(user_id, by=by)


@router.get("/users/{user_id}/sessions")
async def list_sessions(
    request: Request,
    _admin: CurrentAdmin,
    user_id: UUID,
    before: Annotated[UUID | None, Query()] = None,
    limit: Limit = PAGE,
) -> SessionsAnswer:
    """The devices a user is logged in on."""
    page = await use_cases(request).list_sessions(user_id, before=before, limit=limit)
    return SessionsAnswer.of(page, limit=limit)


@router.delete("/users/{user_id}/sessions", status_code=204)
async def end_sessions(request: Request, by: ByAdmin, user_id: UUID) -> None:
    """End all sessions and tokens of a user."""
    await use_cases(request).end_sessions.everywhere(user_id, by=by)


@router.delete("/users/{user_id}/sessions/{session_id}", status_code=204)
async def end_session(request: Request, by: ByAdmin, user_id: UUID, session_id: UUID) -> None:
    """End one session of a user."""
    await use_cases(request).end_sessions.one(user_id, session_id, by=by)


@router.put("/users/{user_id}/roles/{role}")
async def give_role(request: Request, by: ByAdmin, user_id: UUID, role: Text) -> UserAnswer:
    """Give a user a role."""
    return UserAnswer.of(await use_cases(request).manage_roles.give(user_id, role, by=by))


@router.delete("/users/{user_id}/roles/{role}")
async def take_role(request: Request, by: ByAdmin, user_id: UUID, role: Text) -> UserAnswer:
    """Take a role from a user; their tokens lose its scopes at once."""
    return UserAnswer.of(await use_cases(request).manage_roles.take(user_id, role, by=by))


@router.get("/roles")
async def list_roles(
    request: Request,
    _admin: CurrentAdmin,
    after: Annotated[Text | None, Query(max_length=64)] = None,
    limit: Limit = PAGE,
) -> RolesAnswer:
    """All roles and what they allow."""
    page = await use_cases(request).manage_roles.page(after=after, limit=limit)
    return RolesAnswer(items=[RoleAnswer.of(role) for role in page], next=page[-1].name if len(page) == limit else None)


@router.post("/roles", status_code=201)
async def create_role(request: Request, by: ByAdmin, body: NewRole) -> RoleAnswer:
    """Make a role."""
    role = Role(body.name, body.description, frozenset(body.scopes))
    return RoleAnswer.of(await use_cases(request).manage_roles.create(role, by=by))


@router.put("/roles/{name}")
async def change_role(request: Request, by: ByAdmin, name: Text, body: RoleScopes) -> RoleAnswer:
    """Let a role allow these scopes and no others, for all who have it, at once."""
    changed = await use_cases(request).manage_roles.replace_scopes(name, body.scopes, by=by)
    return RoleAnswer.of(changed)


@router.delete("/roles/{name}", status_code=204)
async def delete_role(request: Request, by: ByAdmin, name: Text) -> None:
    """Delete a role, and take it from all who have it."""
    await use_cases(request).manage_roles.delete(name, by=by)


@router.get("/events")
async def list_events(
    request: Request,
    _admin: CurrentAdmin,
    user_id: Annotated[UUID | None, Query()] = None,
    before: Annotated[UUID | None, Query()] = None,
    limit: Limit = PAGE,
) -> EventsAnswer:
    """What happened, to one user or to all."""
    page = await use_cases(request).list_events(user_id=user_id, before=before, limit=limit)
    items = [EventAnswer.model_validate(event, from_attributes=True) for event in page]
    return EventsAnswer(items=items, next=page[-1].id if len(page) == limit else None)
