"""`watchword clients …`: what its commands do, and how they print it."""

import json
import sys
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar
from uuid import UUID

from watchword.cli import output
from watchword.cli.started import every, started
from watchword.errors import InvalidInput, NotFound
from watchword.facades import Clients
from watchword.identity.client_metadata import no_such_client
from watchword.model import Client, ClientAuthMethod, ClientSecret, NewClientSecret
from watchword.settings import format_duration

T = TypeVar("T")

_SHOWN_ONCE: Final = "It is shown this once and cannot be had again."


async def with_clients(use: Callable[[Clients], Awaitable[T]]) -> T:
    """Start Watchword with the settings in force, and do something with its clients.

    Raises:
        ConfigurationError: It cannot start.
        Refusal: What was asked for cannot be done.
    """
    async with started() as auth:
        return await use(auth.clients)


async def every_client(clients: Clients) -> list[Client]:
    """All of them."""
    return await every(lambda after: clients.page(after=after, limit=500), lambda client: client.id)


async def client_and_secrets(clients: Clients, client_id: str) -> tuple[Client, list[ClientSecret]]:
    """One of them, and what may be known of its secrets.

    Raises:
        NotFound: There is none.
    """
    client = await clients.get(client_id)
    if client is None:
        raise no_such_client()
    return client, list(await clients.secrets(client_id))


def auth_method(named: str | None, *, is_public: bool, has_keys: bool) -> str:
    """The method that the options mean: what is named, else what goes with the rest.

    Raises:
        InvalidInput: `--public` and another method than none.
    """
    if is_public:
        if named not in {None, ClientAuthMethod.NONE}:
            raise InvalidInput(text=f"--public means --auth-method none, not {named}")
        return ClientAuthMethod.NONE
    return named or (ClientAuthMethod.PRIVATE_KEY_JWT if has_keys else ClientAuthMethod.BASIC)


def read_jwks(file: str | None) -> dict[str, Any] | None:
    """A JWK Set, or one JWK, from a file or standard input.

    Raises:
        InvalidInput: It cannot be read, or is no JSON object.
    """
    if file is None:
        return None
    try:
        jwks = json.loads(sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes())
    except OSError as error:
        raise InvalidInput(text=f"{file}: {error.strerror}") from None
    except ValueError:
        jwks = None
    if not isinstance(jwks, dict):
        raise InvalidInput(text=f"{file}: not a JWK Set in JSON")
    return jwks


def read_id(text: str) -> UUID:
    """The id of a secret.

    Raises:
        NotFound: It is none.
    """
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("no id", text="The client has no such secret") from None


def client_dict(client: Client) -> dict[str, Any]:
    """A client as JSON has it, in the words of RFC 7591 §2 where there are such."""
    return {
        "client_id": client.id,
        "client_name": client.name,
        "is_active": client.is_active,
        "grant_types": sorted(client.grants),
        "scope": " ".join(sorted(client.scopes)),
        "redirect_uris": sorted(client.redirect_uris),
        "token_endpoint_auth_method": client.auth_method.value,
        "jwks": client.jwks,
        "access_token_lifetime": _seconds(client.access_token_lifetime),
        "refresh_idle_lifetime": _seconds(client.refresh_idle_lifetime),
        "is_first_party": client.is_first_party,
        "id_token_signed_response_alg": client.id_token_algorithm,
        "post_logout_redirect_uris": sorted(client.post_logout_redirect_uris),
        "backchannel_logout_uri": client.backchannel_logout_uri,
        "resources": sorted(client.resources),
        "created_at": _iso(client.created_at),
    }


def secret_dict(secret: ClientSecret) -> dict[str, Any]:
    """What may be known of a secret, as JSON has it."""
    return {"id": str(secret.id), "created_at": _iso(secret.created_at), "expires_at": _iso(secret.expires_at)}


def print_new(client: Client, secret: NewClientSecret | None, *, as_json: bool) -> None:
    """A client that was just registered, and its secret, which is printed here and nowhere else."""
    if as_json:
        shown = {} if secret is None else {"client_secret": secret.value, "client_secret_id": str(secret.id)}
        output.print_json({**client_dict(client), **shown})
        return
    output.say(f"Registered {client.name}.\nclient_id: {client.id}")
    if secret is not None:
        output.say(f"client_secret: {secret.value}\n{_SHOWN_ONCE}")


def print_new_secret(secret: NewClientSecret, *, as_json: bool) -> None:
    """A secret that was just made."""
    if as_json:
        ids = {"id": str(secret.id), "client_id": secret.client_id, "expires_at": _iso(secret.expires_at)}
        output.print_json({**ids, "client_secret": secret.value})
    else:
        output.say(f"client_secret: {secret.value}\n{_SHOWN_ONCE}")


def print_client(client: Client, secrets: list[ClientSecret], *, as_json: bool) -> None:
    """Everything about a client, its secrets aside."""
    fields = client_dict(client)
    if as_json:
        output.print_json({**fields, "secrets": [secret_dict(secret) for secret in secrets]})
        return
    rows = [(name, _cell(value)) for name, value in fields.items()]
    output.print_table("Client", ("", ""), rows)
    if secrets:
        output.print_table(
            "Secrets",
            ("Id", "Created", "Expires"),
            [(str(each.id), output.moment(each.created_at), output.moment(each.expires_at)) for each in secrets],
        )


def print_clients(clients: list[Client], *, as_json: bool) -> None:
    """A line for each client."""
    if as_json:
        output.print_json([client_dict(client) for client in clients])
        return
    rows = [
        (each.id, each.name, "yes" if each.is_active else "no", each.auth_method.value, " ".join(sorted(each.grants)))
        for each in clients
    ]
    title = "1 client" if len(rows) == 1 else f"{len(rows)} clients"
    output.print_table(title, ("Id", "Name", "Active", "Authenticates by", "Grants"), rows)


def print_changed(client: Client, text: str, *, as_json: bool) -> None:
    """What became of a client."""
    if as_json:
        output.print_json(client_dict(client))
    else:
        output.say(text)


def _cell(value: object) -> str:
    if isinstance(value, list):
        return "\n".join(value)
    if isinstance(value, dict):
        return ", ".join(str(key.get("kid", key["kty"])) for key in value["keys"])
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def _seconds(duration: timedelta | None) -> str | None:
    return None if duration is None else format_duration(duration)


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
