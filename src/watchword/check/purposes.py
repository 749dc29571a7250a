"""What routes are for, as far as their names tell: which are public on purpose, and which belong together."""

import re
from typing import Final

from watchword.check.access import Access
from watchword.check.callables import name_of
from watchword.check.routes import AppRoute
from watchword.check.subject import Subject, body_fields

_WORD: Final = re.compile(r"[a-z]+[0-9]*|[A-Z][a-z0-9]*|[0-9]+[a-z]*")


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_TO_GET_IN: Final = _set(
    "login logout signin signout signup sign log register registration token tokens refresh auth authenticate "
    "authorize authorise oauth oauth2 oidc saml sso callback session sessions forgot forget recover recovery "
    "reset verify verification confirm confirmation activate activation resend otp totp mfa 2fa passkey "
    "webauthn magic setup install onboarding accept revoke introspect nonce challenge device jwt credentials"
)
_FOR_ANYBODY: Final = _set(
    "contact newsletter subscribe unsubscribe waitlist feedback lead leads enquiry inquiry health healthz "
    "healthcheck ping status heartbeat telemetry metrics csp csr report analytics track tracking public "
    "captcha demo echo cookie cookies consent locale language"
)
_ASKING: Final = _set(
    "search query filter predict prediction preview validate check calculate compute estimate convert "
    "translate parse format generate completions completion embeddings chat ask graphql rpc suggest "
    "autocomplete classify detect analyze analyse recommend tokenize similarity rerank inference infer score "
    "evaluate render compare lookup get list read fetch find count info statistics stats describe show conversion "
    "decode encode diff"
)
_ONE_TIME: Final = _set(
    "verify verification confirm confirmation reset recover recovery activate activation unsubscribe invite "
    "invitation invitations download downloads magic callback signed share shared preview webhook webhooks "
    "accept export media link links file files register signup"
)
_WEBHOOK: Final = _set("webhook webhooks hook hooks ipn ingress inbound")
_RUNS_ONCE: Final = _set("install installation installer bootstrap first initial")
_FOR_GUESTS: Final = _set("pay checkout donate donation donations")
_PROOF: Final = re.compile(
    r"^(pass(word|wd|code|phrase)?\d?|pwd|otp|code|\w*token|secret|api_?key|signature|captcha\w*|recaptcha\w*)$",
    re.IGNORECASE,
)
_NOT_A_RESOURCE: Final = re.compile(r"^(api|rest|v\d+\w*|\{.*\})?$", re.IGNORECASE)


def is_public_on_purpose(route: AppRoute) -> bool:
    """Whether a route is what people use who are not logged in, or one that changes nothing but is asked by POST."""
    if _words(route) & (_TO_GET_IN | _FOR_ANYBODY) or (route.methods == ("POST",) and _heads(route) & _ASKING):
        return True
    in_path = re.findall(r"\{(\w+)", route.path)
    return any(_PROOF.match(name) for name in (*in_path, *body_fields(route)))  # brings its own proof


def is_webhook(route: AppRoute) -> bool:
    """Whether another server calls it."""
    return bool(_words(route) & _WEBHOOK)


def runs_once(route: AppRoute) -> bool:
    """Whether it makes the first account of an app that was just installed, and refuses from then on."""
    return bool(_words(route) & _RUNS_ONCE) or resource_of(route) == "setup"


def is_for_guests(route: AppRoute) -> bool:
    """Whether it takes money, which many take from anybody."""
    return bool(_words(route) & _FOR_GUESTS)


def is_one_time_link(route: AppRoute) -> bool:
    """Whether it is a link that is sent to somebody, whose token is for this one thing."""
    return bool(_words(route) & _ONE_TIME)


def resource_of(route: AppRoute) -> str:
    """What a route is about: `orders` of `/api/v1/orders/{id}/items`; routes of one router are often about one."""
    parts = (part for part in route.path.split("/") if not _NOT_A_RESOURCE.match(part))
    return next(parts, "")


def guards_anything(subject: Subject) -> bool:
    """Whether any route of the app's own is guarded."""
    return any(subject.protection(route).access is not Access.PUBLIC for route in own_routes(subject))


def own_routes(subject: Subject) -> list[AppRoute]:
    """The routes whose handlers are the app's own code."""
    return [r for r in subject.routes if not r.is_from_framework and subject.handler(r) is not None]


def _words(route: AppRoute) -> set[str]:
    return {word.lower() for word in _WORD.findall(f"{_static(route)} {name_of(route.endpoint)}")}


def _heads(route: AppRoute) -> set[str]:
    """The words that say most: those of the path's last part, and the first one of the handler's name."""
    last = _static(route).rstrip("/").rpartition("/")[2]
    return {word.lower() for word in (*_WORD.findall(last), *_WORD.findall(name_of(route.endpoint))[:1])}


def _static(route: AppRoute) -> str:
    return re.sub(r"\{[^}]*\}", "", route.path)
