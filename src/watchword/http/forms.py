"""Forms: raw body → typed request, strictly.

Starlette's parser replaces invalid UTF-8, so that different passwords could become one. This one refuses it, and
refuses a parameter that comes twice (RFC 6749 §3.2).
"""

import base64
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes, urlencode

from starlette.requests import ClientDisconnect, Request

from watchword.errors import InvalidClient, InvalidRequest
from watchword.grants import Parameters
from watchword.identity.authenticate_client import ASSERTION_TYPE, ClientCredentials

_MEDIA_TYPE: Final = "application/x-www-form-urlencoded"
_PLAIN: Final = re.compile(rb"[\w.~-]*", re.ASCII)
_STRAY_PERCENT: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_MAX_FIELDS: Final = 50
_LONGEST_AUTHORIZATION_REQUEST: Final = 8192
_TWO_WAYS: Final = "A client must authenticate in one way alone"


@dataclass(frozen=True, slots=True)
class ClientForm:
    """A request of a client: its credentials, and the parameters."""

    client: ClientCredentials
    parameters: Parameters


@dataclass(frozen=True, slots=True)
class TokenForm(ClientForm):
    """A token request (RFC 6749 §4)."""

    grant_type: str


async def read_token_form(request: Request) -> TokenForm:
    """Read a request to the token endpoint.

    Raises:
        InvalidRequest: It is no form, ambiguous, or has no `grant_type`.
        InvalidClient: The Authorization header cannot be read.
    """
    form = await read_client_form(request)
    return TokenForm(form.client, form.parameters, form.parameters.required("grant_type"))


async def read_client_form(request: Request) -> ClientForm:
    """Read a request that a client authenticates.

    Raises:
        InvalidRequest: It is no form, or ambiguous.
        InvalidClient: The Authorization header cannot be read.
    """
    parameters = await read_form(request)
    return ClientForm(_client_credentials(request, parameters), parameters)


async def read_form(request: Request) -> Parameters:
    """Read the body as a form.

    Raises:
        InvalidRequest: It is another media type, credentials are in the URL, or the body is malformed.
    """
    if request.scope["query_string"]:  # RFC 6749 §2.3.1: a secret in a URL ends up in logs
        raise InvalidRequest("a query string", text="Parameters belong in the body, not in the URL")
    return await read_fields(request)


async def read_fields(request: Request) -> Parameters:
    """Read the body as a form, whatever is in the URL.

    Raises:
        InvalidRequest: It is another media type, or the body is malformed.
    """
    return Parameters(parse_form(await _read_body(request)))


async def read_authorization_request(request: Request) -> dict[str, str]:
    """Read a request to the authorization endpoint, from the query or, with POST, from the form (RFC 6749 §3.1).

    Of `resource` there may be several (RFC 8707 §2); they come as one text, separated by spaces.

    Raises:
        InvalidRequest: It is malformed, ambiguous or longer than an address may be.
    """
    if request.method == "POST":
        return _authorization_request(await _read_body(request))
    return read_authorization_query(request)


def read_authorization_query(request: Request) -> dict[str, str]:
    """Read an authorization request that a page of ours carries in its query, whatever the page's own form says.

    Raises:
        InvalidRequest: As above.
    """
    return _authorization_request(request.scope["query_string"])


def _authorization_request(raw: bytes) -> dict[str, str]:
    if len(raw) > _LONGEST_AUTHORIZATION_REQUEST:
        raise _too_long()
    values = parse_form(raw, several=frozenset({"resource"}))
    # As our pages carry it: what came unescaped is longer there, and must not be too long only once its user logged in.
    if len(urlencode(values)) > _LONGEST_AUTHORIZATION_REQUEST:
        raise _too_long()
    return values


def _too_long() -> InvalidRequest:
    return InvalidRequest("an authorization request that is too long", text="The request is too long")


async def _read_body(request: Request) -> bytes:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != _MEDIA_TYPE:
        raise InvalidRequest(
            f"{len(media_type)} characters of another media type", text=f"The body must be {_MEDIA_TYPE}"
        )
    try:
        return await request.body()
    except ClientDisconnect:
        raise InvalidRequest("the client went away before its body was complete") from None


def parse_form(body: bytes, *, several: frozenset[str] = frozenset()) -> dict[str, str]:
    """Decode a form body: UTF-8, every name once, no NUL, no stray percent sign.

    Args:
        body: As it came in.
        several: Names that may come again, whose values are joined by spaces.

    Raises:
        InvalidRequest: It is not.
    """
    values: dict[str, str] = {}
    pieces = [piece for piece in body.split(b"&") if piece]
    if len(pieces) > _MAX_FIELDS:
        raise InvalidRequest("too many parameters")
    for piece in pieces:
        raw_name, _, raw_value = piece.partition(b"=")
        name, value = _decode(raw_name), _decode(raw_value)
        if name in values and name not in several:
            raise InvalidRequest("a parameter comes twice", text="A parameter may come only once")
        values[name] = f"{values[name]} {value}" if name in values else value
    return values


def _decode(raw: bytes) -> str:
    if _PLAIN.fullmatch(raw):  # most names and values: nothing is escaped
        return raw.decode("ascii")
    if _STRAY_PERCENT.search(raw):
        raise InvalidRequest("a percent sign that escapes nothing")
    try:
        text = unquote_to_bytes(raw.replace(b"+", b" ")).decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidRequest("invalid UTF-8", text="The body must be UTF-8") from None
    if "\x00" in text:
        raise InvalidRequest("a NUL character")
    return text


def _client_credentials(request: Request, parameters: Parameters) -> ClientCredentials:
    headers = request.headers.getlist("authorization")
    if len(headers) > 1:
        raise InvalidRequest("two Authorization headers")
    in_body = _in_body(parameters)
    if not headers:
        return in_body
    in_header = _basic(headers[0])
    if not in_header.client_id and not in_header.client_secret:
        return in_body
    if in_body.client_secret or in_body.assertion or in_body.client_id not in {None, in_header.client_id}:
        raise InvalidRequest("two ways of client authentication", text=_TWO_WAYS)  # RFC 6749 §2.3
    return in_header


def _in_body(parameters: Parameters) -> ClientCredentials:
    client_id, secret = parameters.optional("client_id"), parameters.optional("client_secret")
    kind, assertion = parameters.optional("client_assertion_type"), parameters.optional("client_assertion")
    if kind is None and assertion is None:
        return ClientCredentials(client_id, secret)
    if secret is not None:
        raise InvalidRequest("a client secret and a client assertion", text=_TWO_WAYS)
    if kind is None or assertion is None:  # RFC 7521 §4.2: one is nothing without the other
        raise InvalidRequest("client_assertion and client_assertion_type come together")
    if kind != ASSERTION_TYPE:
        raise InvalidClient("a client_assertion_type that there is not")
    return ClientCredentials(client_id, assertion=assertion)


def _basic(header: str) -> ClientCredentials:
    """Read HTTP Basic; both halves are form-encoded first (RFC 6749 §2.3.1). Empty ones are what Swagger UI sends."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        raise InvalidClient("a scheme that is not Basic")
    try:
        client_id, colon, secret = base64.b64decode(encoded.strip(), validate=True).partition(b":")
    except ValueError:  # binascii.Error is one, and what is not ASCII raises the plain one
        raise InvalidClient("Basic credentials are not base64") from None
    if not colon:
        raise InvalidClient("Basic credentials without a colon")
    return ClientCredentials(_decode(client_id) or None, _decode(secret) or None, in_header=True)
