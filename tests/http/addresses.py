"""One running app, asked from several addresses."""

from starlette.types import ASGIApp, Receive, Scope, Send
from tests.conftest import Client

FROM = "x-test-address"


class AddressFromHeader:
    """In place of the server, which tells an app the address of its client."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        address = dict(scope.get("headers", ())).get(FROM.encode(), b"").decode()
        await self.app({**scope, "client": (address, 40_000) if address else None}, receive, send)


def at(running: Client, address: str) -> Client:
    """The same running app, asked from somewhere else; from an empty address, from nobody knows where."""
    other = Client(running.app, headers={FROM: address})
    other._transport = running._transport
    return other
