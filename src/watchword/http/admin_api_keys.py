"""`/admin/api-keys`: everybody's keys for programs."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.requests import Request

from watchword.errors import InvalidInput
from watchword.guard.dependencies import CurrentAdmin
from watchword.http.account import Text
from watchword.http.admin import NO, PAGE, ByAdmin, ByRecentAdmin, Limit
from watchword.http.api_keys import DURATION_SCHEMA, ApiKeyAnswer
from watchword.http.bodies import JsonAnswer, JsonRequest
from watchword.http.responses import ErrorAnswer
from watchword.http.route import JsonRoute
from watchword.http.use_cases import use_cases
from watchword.settings import DurationOrZero

router = APIRouter(prefix="/admin/api-keys", route_class=JsonRoute, tags=["admin"], responses=NO)


class Rotation(JsonRequest):
    """How to replace a key.

    Attributes:
        grace: How long the old one is still good, in seconds or as `1h`; it ends at once if that is left out.
    """

    grace: Annotated[DurationOrZero, DURATION_SCHEMA] = timedelta(0)


class OwnedApiKeyAnswer(ApiKeyAnswer):
    """An API key, and whose it is: a user's or a client's."""

    user_id: UUID | None
    client_id: str | None


class RotatedApiKeyAnswer(OwnedApiKeyAnswer):
    """The key that follows another.

    Attributes:
        key: What to send as bearer. It is shown this once.
    """

    key: str = Field(json_schema_extra={"format": "password"})


class OwnedApiKeysAnswer(JsonAnswer):
    """A page of API keys, the newest first.

    Attributes:
        next: What to send as `before` for the next page; null on the last one.
    """

    items: list[OwnedApiKeyAnswer]
    next: UUID | None


@router.get("")
async def list_every_api_key(
    request: Request,
    _admin: CurrentAdmin,
    user_id: Annotated[UUID | None, Query(description="Those of one user.")] = None,
    client_id: Annotated[Text | None, Query(description="Those of one client.", max_length=255)] = None,
    before: Annotated[UUID | None, Query()] = None,
    limit: Limit = PAGE,
) -> OwnedApiKeysAnswer:
    """The API keys that are in force, of one owner or of all."""
    if user_id is not None and client_id is not None:
        raise InvalidInput(text="user_id or client_id, not both: a key has one owner")
    owner = client_id if user_id is None else user_id
    page = await use_cases(request).list_api_keys(owner, before=before, limit=limit)
    items = [OwnedApiKeyAnswer.of(key) for key in page]
    return OwnedApiKeysAnswer(items=items, next=page[-1].id if len(page) == limit else None)


@router.post("/{key_id}/rotate", status_code=201, responses={409: {"model": ErrorAnswer}})
async def rotate_api_key(
    request: Request, by: ByRecentAdmin, key_id: UUID, body: Rotation | None = None
) -> RotatedApiKeyAnswer:
    """Replace a key: the same owner, name, scopes and end. The login must not be older than five minutes."""
    grace = (body or Rotation()).grace
    created = await use_cases(request).create_api_key.rotate(key_id, grace=grace, by=by)
    return RotatedApiKeyAnswer.of(created.key, key=created.secret)


@router.delete("/{key_id}", status_code=204)
async def revoke_anybodys_api_key(request: Request, by: ByAdmin, key_id: UUID) -> None:
    """Revoke a key, whoever's it is."""
    await use_cases(request).revoke_api_key(key_id, by=by)
