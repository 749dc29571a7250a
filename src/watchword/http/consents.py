"""`/consents`: what a user allowed clients."""

from collections.abc import Sequence
from typing import Annotated, Any, Final, Self

from fastapi import APIRouter, Query
from starlette.requests import Request

from watchword.events import By
from watchword.guard.dependencies import CurrentUser
from watchword.http.account import Text
from watchword.http.bodies import JsonAnswer
from watchword.http.device import device_of
from watchword.http.responses import ConsentAnswer, ErrorAnswer
from watchword.http.route import JsonRoute
from watchword.http.use_cases import use_cases
from watchword.model import Consent

router = APIRouter(route_class=JsonRoute, tags=["auth"])

_PAGE: Final = 100
_NO: Final[dict[int | str, dict[str, Any]]] = {status: {"model": ErrorAnswer} for status in (422, 503)}


class ConsentsAnswer(JsonAnswer):
    """A page of consents.

    Attributes:
        next: What to send as `after` for the next page; null on the last one.
    """

    items: list[ConsentAnswer]
    next: str | None

    @classmethod
    def of(cls, page: Sequence[Consent], *, limit: int) -> Self:
        """A page of at most so many."""
        items = [ConsentAnswer.model_validate(consent, from_attributes=True) for consent in page]
        return cls(items=items, next=page[-1].client_id if len(page) == limit else None)


@router.get("/consents", responses=_NO)
async def list_consents(
    request: Request,
    user: CurrentUser,
    after: Annotated[Text | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=_PAGE)] = _PAGE,
) -> ConsentsAnswer:
    """Who may do what in one's name."""
    page = await use_cases(request).manage_consents.page(user.id, after=after, limit=limit)
    return ConsentsAnswer.of(page, limit=limit)


@router.delete("/consents/{client_id}", status_code=204, responses={**_NO, 404: {"model": ErrorAnswer}})
async def revoke_consent(request: Request, user: CurrentUser, client_id: Text) -> None:
    """Take it back: the client's sessions end, and it has to ask again."""
    await use_cases(request).manage_consents.revoke(user.id, client_id, by=By(device=device_of(request)))
