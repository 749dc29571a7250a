"""`/admin/clients`: registered clients and their secrets, in the words of RFC 7591 §2 and of OpenID Connect."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import BeforeValidator, Field, WithJsonSchema
from starlette.requests import Request

from watchword.guard.dependencies import CurrentAdmin
from watchword.http.account import Text
from watchword.http.admin import NO, PAGE, ByAdmin, ByRecentAdmin, Limit
from watchword.http.api_keys import Lifetime
from watchword.http.bodies import JsonAnswer, JsonRequest
from watchword.http.route import JsonRoute
from watchword.http.use_cases import use_cases
from watchword.identity.client_metadata import ClientMetadata, no_such_client
from watchword.identity.scopes import format_scope, read_scope
from watchword.model import Client, ClientSecret, NewClientSecret
from watchword.settings import Duration

router = APIRouter(prefix="/admin/clients", route_class=JsonRoute, tags=["admin"], responses=NO)

ClientId = Annotated[Text, Path(max_length=255)]


def _read_scope(value: object) -> frozenset[str]:
    if not isinstance(value, str):
        raise ValueError("must be a string")  # noqa: TRY004 — pydantic turns only ValueError into its own
    return read_scope(value)


Scope = Annotated[frozenset[str], BeforeValidator(_read_scope), WithJsonSchema({"type": "string"})]


class ClientChanges(JsonRequest):
    """What of a client is to change; what is left out stays."""

    name: str = Field(default_factory=str, validation_alias="client_name")
    grants: list[str] = Field(default_factory=list, validation_alias="grant_types")
    scopes: Scope = Field(default_factory=frozenset, validation_alias="scope")
    redirect_uris: list[str] = Field(default_factory=list)
    auth_method: str = Field(default_factory=str, validation_alias="token_endpoint_auth_method")
    jwks: dict[str, Any] | None = None
    access_token_lifetime: Lifetime | None = None
    refresh_idle_lifetime: Lifetime | None = None
    is_first_party: bool = False
    id_token_algorithm: str = Field(default_factory=str, validation_alias="id_token_signed_response_alg")
    post_logout_redirect_uris: list[str] = Field(default_factory=list)
    backchannel_logout_uri: str | None = None
    resources: list[str] = Field(default_factory=list)

    def given(self) -> Mapping[str, Any]:
        """The fields of `ClientMetadata` that were sent."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class NewClient(ClientChanges):
    """A client to register."""

    name: str = Field(validation_alias="client_name")
    grants: list[str] = Field(validation_alias="grant_types")


class NewSecret(JsonRequest):
    """A secret to make.

    Attributes:
        expires_in: How long it is good; until it is removed if it is left out.
    """

    expires_in: Lifetime | None = None


class ClientAnswer(JsonAnswer):
    """A registered client, without its secrets."""

    id: str = Field(serialization_alias="client_id")
    name: str = Field(serialization_alias="client_name")
    is_active: bool
    grants: Annotated[list[str], BeforeValidator(sorted)] = Field(serialization_alias="grant_types")
    scopes: Annotated[str, BeforeValidator(format_scope)] = Field(serialization_alias="scope")
    redirect_uris: Annotated[list[str], BeforeValidator(sorted)]
    auth_method: str = Field(serialization_alias="token_endpoint_auth_method")
    jwks: dict[str, Any] | None
    access_token_lifetime: Duration | None
    refresh_idle_lifetime: Duration | None
    is_first_party: bool
    id_token_algorithm: str = Field(serialization_alias="id_token_signed_response_alg")
    post_logout_redirect_uris: Annotated[list[str], BeforeValidator(sorted)]
    backchannel_logout_uri: str | None
    resources: Annotated[list[str], BeforeValidator(sorted)]
    created_at: datetime

    @classmethod
    def of(cls, client: Client, **more: Any) -> Self:  # noqa: ANN401 — the class's own fields
        """A client, and what else this answer tells."""
        return cls(**{name: getattr(client, name) for name in cls.model_fields.keys() - more.keys()}, **more)


class SecretAnswer(JsonAnswer):
    """What may be known of a secret.

    Attributes:
        expires_at: null if it is good until it is removed.
    """

    id: UUID
    created_at: datetime
    expires_at: datetime | None


class ClientWithSecretsAnswer(ClientAnswer):
    """A registered client, and what may be known of its secrets, the oldest first."""

    secrets: list[SecretAnswer]


class NewClientAnswer(ClientAnswer):
    """A client that was just registered.

    Attributes:
        client_secret: It is shown this once; null for a client without one.
    """

    client_secret: str | None = Field(json_schema_extra={"format": "password"})
    client_secret_id: UUID | None


class NewSecretAnswer(JsonAnswer):
    """A secret that was just made.

    Attributes:
        client_secret: It is shown this once.
    """

    id: UUID
    client_id: str
    expires_at: datetime | None
    client_secret: str = Field(json_schema_extra={"format": "password"})

    @classmethod
    def of(cls, secret: NewClientSecret) -> Self:
        """A secret, for the one time that it is shown."""
        return cls(id=secret.id, client_id=secret.client_id, expires_at=secret.expires_at, client_secret=secret.value)


class ClientsAnswer(JsonAnswer):
    """A page of clients, in the order they were registered.

    Attributes:
        next: What to send as `after` for the next page; null on the last one.
    """

    items: list[ClientAnswer]
    next: str | None


@router.get("")
async def list_clients(
    request: Request,
    _admin: CurrentAdmin,
    after: Annotated[Text | None, Query(max_length=255)] = None,
    limit: Limit = PAGE,
) -> ClientsAnswer:
    """All registered clients."""
    page = await use_cases(request).find_client.page(after=after, limit=limit)
    items = [ClientAnswer.of(client) for client in page]
    return ClientsAnswer(items=items, next=page[-1].id if len(page) == limit else None)


@router.post("", status_code=201)
async def create_client(request: Request, by: ByRecentAdmin, body: NewClient) -> NewClientAnswer:
    """Register a client. Its secret is shown this once. The login must not be older than five minutes."""
    client, secret = await use_cases(request).create_client(ClientMetadata(**body.given()), by=by)
    value, secret_id = (secret.value, secret.id) if secret is not None else (None, None)
    return NewClientAnswer.of(client, client_secret=value, client_secret_id=secret_id)


@router.get("/{client_id}")
async def get_client(request: Request, _admin: CurrentAdmin, client_id: ClientId) -> ClientWithSecretsAnswer:
    """One client, and the ids of its secrets."""
    find = use_cases(request).find_client
    client = await find.by_id(client_id)
    if client is None:
        raise no_such_client()
    return ClientWithSecretsAnswer.of(client, secrets=_secrets(await find.secrets(client_id)))


@router.patch("/{client_id}")
async def change_client(request: Request, by: ByRecentAdmin, client_id: ClientId, body: ClientChanges) -> ClientAnswer:
    """Change what a client is, at once. The login must not be older than five minutes."""
    return ClientAnswer.of(await use_cases(request).change_client(client_id, body.given(), by=by))


@router.post("/{client_id}/disable")
async def disable_client(request: Request, by: ByAdmin, client_id: ClientId) -> ClientAnswer:
    """Shut a client out at once; while it is disabled, none of its tokens is good."""
    return ClientAnswer.of(await use_cases(request).change_client.set_active(client_id, active=False, by=by))


@router.post("/{client_id}/enable")
async def enable_client(request: Request, by: ByAdmin, client_id: ClientId) -> ClientAnswer:
    """Let a disabled client in again."""
    return ClientAnswer.of(await use_cases(request).change_client.set_active(client_id, active=True, by=by))


@router.delete("/{client_id}", status_code=204)
async def delete_client(request: Request, by: ByAdmin, client_id: ClientId) -> None:
    """Delete a client, its secrets and its API keys; all its tokens end."""
    await use_cases(request).delete_client(client_id, by=by)


@router.post("/{client_id}/secrets", status_code=201)
async def add_secret(
    request: Request, by: ByRecentAdmin, client_id: ClientId, body: NewSecret | None = None
) -> NewSecretAnswer:
    """Make the next secret, beside the one in use. The login must not be older than five minutes."""
    lifetime = body.expires_in if body is not None else None
    return NewSecretAnswer.of(await use_cases(request).client_secrets.add(client_id, lifetime=lifetime, by=by))


@router.delete("/{client_id}/secrets/{secret_id}", status_code=204)
async def remove_secret(request: Request, by: ByAdmin, client_id: ClientId, secret_id: UUID) -> None:
    """Remove a secret that nobody uses any more, or that leaked."""
    await use_cases(request).client_secrets.remove(client_id, secret_id, by=by)


def _secrets(secrets: Sequence[ClientSecret]) -> list[SecretAnswer]:
    return [SecretAnswer.model_validate(secret, from_attributes=True) for secret in secrets]
