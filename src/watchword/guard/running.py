"""Finding the Watchword that a request came in through."""

from typing import Any, Protocol, cast

from starlette.requests import HTTPConnection

from watchword.errors import NotRunning
from watchword.guard.remembered import RememberingVerifier
from watchword.identity.pending import VerifyPending
from watchword.limits import Limits

STATE_KEY = "watchword"


class Running(Protocol):
    """What guards need of it."""

    @property
    def verify_credential(self) -> RememberingVerifier:
        """Credential → who the request speaks for."""
        ...

    @property
    def verify_pending(self) -> VerifyPending:
        """Pending token → the login that waits for its second factor."""
        ...

    @property
    def limits(self) -> Limits:
        """How much may fail from one network."""
        ...


def running(connection: HTTPConnection) -> Running:
    """The Watchword whose lifespan surrounds this request; mounted apps and WebSockets share their server's.

    Raises:
        NotRunning: There is none.
    """
    state: dict[str, Any] = connection.scope.get("state", {})
    try:
        return cast("Running", state[STATE_KEY])
    except KeyError:
        raise NotRunning(
            "no Watchword is running for this request. Either it was not installed: Watchword().install(app); or the "
            "app's "
            "lifespan did not run: use `with TestClient(app)`, and where another app mounts this one, give that one "
            "FastAPI(lifespan=auth.lifespan)"
        ) from None
