"""`/logout` and `/sessions`: the devices a user is logged in on."""

import contextlib
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Self
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.requests import Request

from watchword.errors import NotFound
from watchword.events import By
from watchword.guard.dependencies import CurrentPrincipal, CurrentUser
from watchword.http.bodies import JsonAnswer
from watchword.http.device import device_of
from watchword.http.responses import ErrorAnswer
from watchword.http.route import JsonRoute
from watchword.http.use_cases import use_cases
from watchword.model import Session

router = APIRouter(route_class=JsonRoute, tags=["auth"])

_PAGE: Final = 100
_NO: Final[dict[int | str, dict[str, Any]]] = {status: {"model": ErrorAnswer} for status in (422, 503)}


class SessionAnswer(JsonAnswer):
    """A login on a device.

    Attributes:
        is_current: Whether this request belongs to it.
    """

    id: UUID
    client_id: str
    user_agent: str | None
    address: str | None
    created_at: datetime
    last_used_at: datetime
    ends_at: datetime
    is_current: bool

    @classmethod
    def of(cls, session: Session, *, current: UUID | None) -> "SessionAnswer":
        """A session, as its user may see it."""
        return cls(
            id=session.id,
            client_id=session.client_id,
            user_agent=session.device.user_agent,
            address=session.device.address,
            created_at=session.created_at,
            last_used_at=session.last_used_at,
            ends_at=session.ends_at,
            is_current=session.id == current,
        )


class SessionsAnswer(JsonAnswer):
    """A page of sessions, the newest login first.

    Attributes:
        next: What to send as `before` for the next page; null on the last one.
    """

    items: list[SessionAnswer]
    next: UUID | None

    @classmethod
    def of(cls, page: Sequence[Session], *, limit: int, current: UUID | None = None) -> Self:
        """A page of at most so many, and which of them the request belongs to."""
        items = [SessionAnswer.of(session, current=current) for session in page]
        return cls(items=items, next=page[-1].id if len(page) == limit else None)


@router.post("/logout", status_code=204, responses={503: {"model": ErrorAnswer}})
async def log_out(request: Request, principal: CurrentPrincipal) -> None:
    """End this session: its refresh token and every access token it issued."""
    if principal.user_id is None or principal.session_id is None:
        raise NotFound("a credential without a session", text="There is no session to end")
    with contextlib.suppress(NotFound):  # of two at once, the second finds it ended
        await use_cases(request).end_sessions.one(
            principal.user_id, principal.session_id, by=By(device=device_of(request))
        )


@router.get("/sessions", responses=_NO)
async def list_sessions(
    request: Request,
    user: CurrentUser,
    principal: CurrentPrincipal,
    before: Annotated[UUID | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=_PAGE)] = _PAGE,
) -> SessionsAnswer:
    """The devices one is logged in on."""
    page = await use_cases(request).list_sessions(user.id, before=before, limit=limit)
    return SessionsAnswer.of(page, limit=limit, current=principal.session_id)


@router.delete("/sessions", status_code=204, responses=_NO)
async def end_sessions(
    request: Request,
    user: CurrentUser,
    principal: CurrentPrincipal,
    everywhere: Annotated[bool, Query(description="This session too.")] = False,  # noqa: FBT002 — a query parameter
) -> None:
    """Log out on all other devices, or everywhere."""
    end = use_cases(request).end_sessions
    if everywhere:
        await end.everywhere(user.id, by=By(device=device_of(request)))
    else:
        await end.others(user.id, but=principal.session_id, by=By(device=device_of(request)))


@router.delete("/sessions/{session_id}", status_code=204, responses={**_NO, 404: {"model": ErrorAnswer}})
async def end_session(request: Request, user: CurrentUser, session_id: UUID) -> None:
    """Log out on one device."""
    await use_cases(request).end_sessions.one(user.id, session_id, by=By(device=device_of(request)))
