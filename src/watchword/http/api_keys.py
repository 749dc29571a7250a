"""`/api-keys`: a user's keys for programs."""

from datetime import datetime
from typing import Annotated, Any, Final, Self
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BeforeValidator, Field, WithJsonSchema
from starlette.requests import Request

from watchword.events import By
from watchword.flows.create_api_key import ApiKeyRequest
from watchword.guard.dependencies import CurrentPrincipal, CurrentUser, requires_recent_login
from watchword.http.bodies import JsonAnswer, JsonRequest
from watchword.http.device import device_of
from watchword.http.responses import ErrorAnswer
from watchword.http.route import JsonRoute
from watchword.http.use_cases import use_cases
from watchword.model import ApiKey
from watchword.settings import Duration

router = APIRouter(route_class=JsonRoute, tags=["auth"])

_PAGE: Final = 100
_MOST_SCOPES: Final = 1000
_NO: Final[dict[int | str, dict[str, Any]]] = {status: {"model": ErrorAnswer} for status in (422, 503)}

DURATION_SCHEMA: Final = WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "string"}], "examples": ["90d", 3600]})
Lifetime = Annotated[Duration, DURATION_SCHEMA]


class NewApiKey(JsonRequest):
    """What the key is for.

    Attributes:
        name: 1 to 100 printable characters.
        scopes: What it may do: at least one, and none that the login that makes it has not.
        expires_in: Its life, in seconds or as `90d`; 90 days if it is left out.
    """

    name: str
    scopes: list[str] = Field(max_length=_MOST_SCOPES)
    expires_in: Lifetime | None = None


class ApiKeyAnswer(JsonAnswer):
    """An API key, without what is presented.

    Attributes:
        hint: Its beginning and end, to tell it from others.
        last_used_at: Some two minutes late; null if it never was.
    """

    id: UUID
    hint: str
    name: str
    scopes: Annotated[list[str], BeforeValidator(sorted)]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None

    @classmethod
    def of(cls, key: ApiKey, /, **more: Any) -> Self:  # noqa: ANN401 — the class's own fields
        """A key, and what else this answer tells."""
        return cls(**{name: getattr(key, name) for name in cls.model_fields.keys() - more.keys()}, **more)


class CreatedApiKeyAnswer(ApiKeyAnswer):
    """A new API key.

    Attributes:
        key: What to send as bearer. It is shown this once.
    """

    key: str = Field(json_schema_extra={"format": "password"})


class ApiKeysAnswer(JsonAnswer):
    """A page of API keys, the newest first.

    Attributes:
        next: What to send as `before` for the next page; null on the last one.
    """

    items: list[ApiKeyAnswer]
    next: UUID | None


@router.get("/api-keys", responses=_NO)
async def list_api_keys(
    request: Request,
    user: CurrentUser,
    before: Annotated[UUID | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=_PAGE)] = _PAGE,
) -> ApiKeysAnswer:
    """One's API keys that are in force."""
    page = await use_cases(request).list_api_keys(user.id, before=before, limit=limit)
    return ApiKeysAnswer(items=[ApiKeyAnswer.of(key) for key in page], next=page[-1].id if len(page) == limit else None)


@router.post(
    "/api-keys",
    status_code=201,
    dependencies=[requires_recent_login(minutes=5)],
    responses={**_NO, 400: {"model": ErrorAnswer}, 409: {"model": ErrorAnswer}},
)
async def create_api_key(
    request: Request, user: CurrentUser, principal: CurrentPrincipal, body: NewApiKey
) -> CreatedApiKeyAnswer:
    """Make an API key. The login must not be older than five minutes. The key is shown this once."""
    wanted = ApiKeyRequest(user.id, body.name, frozenset(body.scopes), body.expires_in, asking=principal)
    created = await use_cases(request).create_api_key(wanted, by=By(device=device_of(request)))
    return CreatedApiKeyAnswer.of(created.key, key=created.secret)


@router.delete("/api-keys/{key_id}", status_code=204, responses={**_NO, 404: {"model": ErrorAnswer}})
async def revoke_api_key(request: Request, user: CurrentUser, key_id: UUID) -> None:
    """Revoke an API key."""
    await use_cases(request).revoke_api_key(key_id, owner=user.id, by=By(device=device_of(request)))
