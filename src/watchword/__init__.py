"""Watchword: authentication for FastAPI backends that own their users.

Names are loaded at their first use (PEP 562): a program that needs the settings alone does not import FastAPI.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from watchword.app import Watchword
    from watchword.errors import (
        ConfigurationError,
        EmailTaken,
        HashingBusy,
        InvalidInput,
        NotFound,
        NotRunning,
        Refusal,
        StillReferenced,
        StorageDown,
        Unavailable,
        WatchwordError,
        WeakPassword,
    )
    from watchword.guard.dependencies import (
        CurrentPrincipal,
        CurrentUser,
        current_principal,
        current_user,
        requires,
        requires_recent_login,
        requires_role,
        requires_second_factor,
    )
    from watchword.model import ApiKey, CreatedApiKey, Device, Principal, Profile, Role, Session, User
    from watchword.settings import Settings
    from watchword.storage.tables import user_id_column

__all__ = [
    "Watchword",
    "Settings",
    "User",
    "Profile",
    "Principal",
    "Session",
    "Role",
    "Device",
    "ApiKey",
    "CreatedApiKey",
    "CurrentUser",
    "CurrentPrincipal",
    "current_user",
    "current_principal",
    "requires",
    "requires_role",
    "requires_recent_login",
    "requires_second_factor",
    "user_id_column",
    "WatchwordError",
    "ConfigurationError",
    "NotRunning",
    "Refusal",
    "InvalidInput",
    "WeakPassword",
    "EmailTaken",
    "StillReferenced",
    "NotFound",
    "Unavailable",
    "HashingBusy",
    "StorageDown",
]

_HOMES = {
    "watchword.app": {"Watchword"},
    "watchword.settings": {"Settings"},
    "watchword.model": {"User", "Profile", "Principal", "Session", "Role", "Device", "ApiKey", "CreatedApiKey"},
    "watchword.guard.dependencies": {
        "CurrentUser",
        "CurrentPrincipal",
        "current_user",
        "current_principal",
        "requires",
        "requires_role",
        "requires_recent_login",
        "requires_second_factor",
    },
    "watchword.storage.tables": {"user_id_column"},
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 — PEP 562; type checkers read the imports above
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = next((module for module, names in _HOMES.items() if name in names), "watchword.errors")
    with _without_collections():
        value = getattr(import_module(home), name)
    globals()[name] = value
    return value


@contextmanager
def _without_collections() -> Iterator[None]:
    """Modules make much and drop nothing: what is there when they are imported, no collection looks at.

    Meanwhile that would take a third of the time, and in each full one ever after hold an event loop up for 50 ms.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def __dir__() -> list[str]:
    return sorted(__all__)
