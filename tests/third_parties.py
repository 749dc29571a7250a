"""What tests of authorization codes share: a third party, and a browser in which somebody is logged in at our pages."""

from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.conftest import EMAIL, Client
from tests.http.clients import Service, call
from watchword import Watchword
from watchword.identity.browser_sessions import OpenedBrowserSession
from watchword.model import BrowserSession, Device

REDIRECT_URI = "https://shop.example/callback"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"  # RFC 7636, appendix B
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
BROWSER = Device("a browser", "192.0.2.7")


def challenge_of(verifier: str) -> str:
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def log_in(client: Client, auth: Watchword[Any], *, email: str = EMAIL, amr: tuple[str, ...] = ("pwd",)) -> Any:
    """Log a user in at our pages, with this client's cookies; the login."""

    async def open_session() -> OpenedBrowserSession | None:
        async with auth.open_session.storage.reading() as stores:
            account = await stores.users.find(email)
        assert account is not None
        return await auth.use_cases.log_in_at_pages.open_browser_session(account, amr=amr, device=BROWSER)

    opened = call(client, open_session)
    assert opened is not None
    client.cookies.set("watchword_session", opened.cookie)
    return opened.session


def answer_of(redirect: Any) -> dict[str, str]:
    """What the client is told, by way of the browser."""
    assert redirect.status_code == 303, redirect.text
    return dict(parse_qsl(urlsplit(redirect.headers["location"]).query))


class ThirdParty(Service):
    """A client that sends browsers to us."""

    def __init__(self, http: Client, auth: Watchword[Any], **metadata: Any) -> None:
        fields = {
            "grants": ["authorization_code", "refresh_token"],
            "scopes": ["openid", "email", "offline_access", "orders:read", "orders:write"],
            "redirect_uris": [REDIRECT_URI],
            **metadata,
        }
        super().__init__(http, auth, **fields)

    def request(self, **changes: str | None) -> dict[str, str]:
        """An authorization request; None leaves a parameter out."""
        parameters = {
            "response_type": "code",
            "client_id": self.id,
            "redirect_uri": REDIRECT_URI,
            "scope": "orders:read",
            "state": "a state",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **changes,
        }
        return {name: value for name, value in parameters.items() if value is not None}

    def authorize(self, **changes: str | None) -> Any:
        """Send the browser."""
        return self.http.get("/auth/authorize", params=self.request(**changes), follow_redirects=False)

    def is_allowed(self, browser: BrowserSession, **changes: str | None) -> None:
        """Have the user say yes, as the page that asks does it."""
        question = call(self.http, self.auth.use_cases.authorize.question, self.request(**changes), browser)
        call(self.http, self.auth.use_cases.manage_consents.grant, browser.user_id, question)

    def code(self, **changes: str | None) -> str:
        """A code, where nothing is to be asked."""
        return answer_of(self.authorize(**changes))["code"]

    def redeem(self, code: str, **changes: str) -> Any:
        """Trade a code."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": REDIRECT_URI,
            "code_verifier": VERIFIER,
            **changes,
        }
        return self.post("/auth/token", form)

    def tokens(self, browser: BrowserSession, **changes: str | None) -> dict[str, Any]:
        """What a login and a yes give."""
        self.is_allowed(browser, **changes)
        answer = self.redeem(self.code(**changes))
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def refresh(self, refresh_token: str, **changes: str) -> Any:
        return self.post("/auth/token", {"grant_type": "refresh_token", "refresh_token": refresh_token, **changes})
