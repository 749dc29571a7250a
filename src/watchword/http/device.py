"""Where a request comes from."""

from typing import Final

from starlette.requests import Request

from watchword.model import Device

_LONGEST_USER_AGENT: Final = 255
_LONGEST_ADDRESS: Final = 45  # IPv6 with an IPv4 tail


def device_of(request: Request) -> Device:
    """User agent and address. A client writes its user agent as it likes: what is not printable is left out."""
    user_agent = request.headers.get("user-agent", "")[:_LONGEST_USER_AGENT]
    address = request.client.host if request.client is not None else ""
    return Device(_printable(user_agent) or None, _printable(address)[:_LONGEST_ADDRESS] or None)


def _printable(text: str) -> str:
    return text if text.isprintable() else "".join(character for character in text if character.isprintable())
