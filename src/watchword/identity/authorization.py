"""What an authorization request asks for (RFC 6749 §4.1.1, RFC 7636, OpenID Connect Core §3.1.2.1), without I/O."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

from watchword.crypto import pkce
from watchword.errors import (
    InvalidRequest,
    InvalidTarget,
    RequestNotSupported,
    RequestUriNotSupported,
    UnauthorizedClient,
    UnmetAuthenticationRequirements,
    UnsupportedResponseType,
)
from watchword.identity.redirect_uris import LONGEST
from watchword.identity.scopes import parse_scope
from watchword.model import ACR_SECOND_FACTOR, BrowserSession, Client

GRANT: Final = "authorization_code"

LONGEST_STATE: Final = 4096
_LONGEST_NONCE: Final = 255
_PROMPTS: Final = frozenset({"none", "login", "consent", "select_account"})
_SECONDS: Final = re.compile(r"[0-9]{1,9}")
_CLAIM: Final = re.compile(r"[a-z_]{1,64}")
# RFC 8252 §7.3: the port is whatever the system gave to the app. Not `localhost`, which may be another machine (§8.3).
_LOOPBACK: Final = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]))(?::[1-9][0-9]{0,4})?((?:[/?].*)?)")
_NATIVE_CONSENT: Final = timedelta(minutes=1)  # long enough to come back from the page that asked


def is_registered(client: Client, redirect_uri: str) -> bool:
    """Whether a client may have codes sent to an address: one of its own, character by character (RFC 9700 §2.1).

    But for the port of an app on the user's machine that listens on a loopback address (RFC 8252 §7.3).
    """
    if redirect_uri in client.redirect_uris:
        return True
    if len(redirect_uri) > LONGEST:  # with a port; the database keeps no more
        return False
    sent = _without_port(redirect_uri)
    return client.is_public and sent is not None and any(_without_port(uri) == sent for uri in client.redirect_uris)


def asks_consent(client: Client, redirect_uri: str) -> bool:
    """Whether people are asked before a client gets a code: not for the host's own, where https tells that it is."""
    return not (client.is_first_party and _is_https(redirect_uri))


def consent_holds_for(client: Client, redirect_uri: str) -> timedelta | None:
    """How long a user's word is good for the next request; None until it is taken back.

    Any app on a machine can say that it is a public client and listen where that does; so people are asked each time
    (RFC 8252 §8.6).
    """
    return None if _is_https(redirect_uri) or not client.is_public else _NATIVE_CONSENT


def host_of(redirect_uri: str) -> str:
    """What people are told of an address: its host, or the scheme of an app."""
    parts = urlsplit(redirect_uri)
    return parts.hostname or parts.scheme


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A request whose sender and return address are known to be good.

    Attributes:
        scopes: What is asked for; None for all that there is.
        prompt: What the user is to be shown, `none` for nothing.
        max_age: How many seconds ago the user may have authenticated at most.
        wants_second_factor: Whether `acr_values` or `claims` name it.
        needs_second_factor: Whether there is to be no answer without it: as an essential claim.
        subjects: Whose answer it has to be, where `claims` say so; anybody's, where they are none.
        resource: What the access token is for; None for this installation.
        claims: Names of claims that are to be in the ID token.
    """

    redirect_uri: str
    scopes: frozenset[str] | None
    code_challenge: str
    nonce: str | None = field(repr=False)
    prompt: frozenset[str]
    max_age: int | None
    wants_second_factor: bool
    needs_second_factor: bool
    subjects: frozenset[str]
    resource: str | None
    claims: frozenset[str]

    @classmethod
    def of(cls, parameters: Mapping[str, str], client: Client) -> "AuthorizationRequest":
        """Read the parameters; one without a value counts as omitted, and one that is unknown is ignored (§3.1).

        Raises:
            UnauthorizedClient: The client is not registered for codes.
            InvalidRequest, InvalidScope, InvalidTarget, AuthorizationRefused: It asks wrongly, or for what there is
                not.
        """
        sent = {name: value for name, value in parameters.items() if value}
        if GRANT not in client.grants:
            raise UnauthorizedClient(f"client {client.id} asked for a code")
        if "request" in sent:
            raise RequestNotSupported
        if "request_uri" in sent:
            raise RequestUriNotSupported
        if "response_type" not in sent:
            raise _malformed("response_type is missing")
        if sent["response_type"] != "code":
            raise UnsupportedResponseType
        if sent.get("response_mode", "query") != "query":
            raise _malformed("response_mode must be query")
        if len(sent.get("nonce", "")) > _LONGEST_NONCE:
            raise _malformed("nonce must have at most 255 characters")
        resource = sent.get("resource")
        if resource is not None and resource not in client.resources:
            raise InvalidTarget(f"client {client.id} asked for a resource that it is not registered for")
        claims = _claims(sent.get("claims"))
        acr = _asked(claims.get("acr"))
        needs_acr = bool(acr) and (claims.get("acr") or {}).get("essential") is True
        if needs_acr and ACR_SECOND_FACTOR not in acr:
            raise UnmetAuthenticationRequirements(f"client {client.id} needs an acr that there is not")
        return cls(
            redirect_uri=sent["redirect_uri"],
            scopes=parse_scope(sent.get("scope")),
            code_challenge=_code_challenge(sent),
            nonce=sent.get("nonce"),
            prompt=_prompt(sent.get("prompt", "")),
            max_age=_max_age(sent.get("max_age")),
            wants_second_factor=ACR_SECOND_FACTOR in {*sent.get("acr_values", "").split(" "), *acr},
            needs_second_factor=needs_acr,
            subjects=frozenset(_asked(claims.get("sub"))),
            resource=resource,
            claims=frozenset(name for name in claims if _CLAIM.fullmatch(name)),
        )

    @property
    def is_silent(self) -> bool:
        """Whether the user must not be shown anything."""
        return "none" in self.prompt

    def wants_login(self, browser: BrowserSession, *, now: float) -> bool:
        """Whether the user must authenticate again, who is logged in."""
        if not self.prompt.isdisjoint({"login", "select_account"}) or self.max_age == 0:
            return True
        return self.max_age is not None and int(now) - int(browser.auth_time.timestamp()) > self.max_age


def after_login(parameters: Mapping[str, str]) -> dict[str, str]:
    """A request as it goes on when its user has just logged in, which it need not ask for again."""
    return {name: value for name, value in _without(parameters, "login", "select_account").items()
            if name != "max_age" or value.strip("0")}  # fmt: skip


def after_consent(parameters: Mapping[str, str]) -> dict[str, str]:
    """A request as it goes on when its user has just been asked."""
    return _without(parameters, "consent")


def _without(parameters: Mapping[str, str], *prompts: str) -> dict[str, str]:
    left = " ".join(prompt for prompt in parameters.get("prompt", "").split(" ") if prompt not in prompts)
    others = {name: value for name, value in parameters.items() if name != "prompt"}
    return {**others, "prompt": left} if left else others


def _without_port(uri: str) -> tuple[str, str] | None:
    match = _LOOPBACK.fullmatch(uri)
    return None if match is None else (match[1], match[2])


def _is_https(uri: str) -> bool:
    return uri.startswith("https://")


def _code_challenge(sent: Mapping[str, str]) -> str:
    challenge = sent.get("code_challenge", "")
    # RFC 9700 §2.1.1; without a method it would be `plain` (RFC 7636 §4.3).
    if sent.get("code_challenge_method") != pkce.METHOD or not pkce.is_challenge(challenge):
        raise _malformed("PKCE is required: code_challenge, and code_challenge_method=S256")
    return challenge


def _prompt(text: str) -> frozenset[str]:
    prompt = frozenset(text.split(" ")) - {""}
    if not prompt <= _PROMPTS:
        raise _malformed("prompt must be none, or some of login, consent, select_account")
    if "none" in prompt and len(prompt) > 1:
        raise _malformed("prompt=none goes with no other")
    return prompt


def _max_age(text: str | None) -> int | None:
    if text is None:
        return None
    if not _SECONDS.fullmatch(text):
        raise _malformed("max_age must be a whole number of seconds")
    return int(text)


def _claims(text: str | None) -> Mapping[str, Mapping[str, object] | None]:
    """What is to be in the ID token. Userinfo tells all that the scopes allow, whatever it is asked for."""
    if text is None:
        return {}
    try:
        asked = json.loads(text)
    except (ValueError, RecursionError):
        asked = None
    understood = ("id_token", "userinfo")  # the others are ignored (OpenID Connect Core §5.5)
    if not isinstance(asked, dict) or not all(isinstance(asked.get(member), dict | None) for member in understood):
        raise _malformed("claims must be a JSON object of objects")
    claims: Mapping[str, Mapping[str, object] | None] = asked.get("id_token") or {}
    if not all(isinstance(each, dict | None) for each in claims.values()):
        raise _malformed("each of claims must be null or a JSON object")
    return claims


def _asked(claim: Mapping[str, object] | None) -> list[str]:
    """Which values of a claim are asked for (OpenID Connect Core §5.5.1)."""
    if claim is None:
        return []
    several = claim.get("values")
    asked = [claim["value"]] if "value" in claim else several if isinstance(several, list) else []
    return [str(each) for each in asked]


def _malformed(text: str) -> InvalidRequest:
    return InvalidRequest(text, text=text)
