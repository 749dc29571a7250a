"""The public surface, pinned: what is exported, and what importing it drags in."""

import subprocess
import sys

import pytest

import watchword

NAMES = """
    Watchword Settings User Profile Principal Session Role Device ApiKey CreatedApiKey CurrentUser
    CurrentPrincipal current_user current_principal requires requires_role requires_recent_login
    requires_second_factor user_id_column WatchwordError ConfigurationError NotRunning Refusal InvalidInput
    WeakPassword EmailTaken StillReferenced NotFound Unavailable HashingBusy StorageDown
"""


def modules_after(code: str) -> set[str]:
    """The top-level modules that a fresh interpreter has loaded after some code."""
    report = "; import sys; print(*{name.partition('.')[0] for name in sys.modules})"
    result = subprocess.run([sys.executable, "-c", code + report], capture_output=True, text=True, check=True)
    return set(result.stdout.split())


def test_the_public_names_are_these() -> None:
    assert set(watchword.__all__) == set(NAMES.split())
    assert dir(watchword) == sorted(watchword.__all__)


@pytest.mark.parametrize("name", NAMES.split())
def test_every_public_name_resolves(name: str) -> None:
    assert getattr(watchword, name) is not None
    assert name in vars(watchword), "found once, it is kept"


def test_a_name_that_is_not_public_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'watchword' has no attribute 'open_keyring'"):
        watchword.open_keyring  # noqa: B018 — the access is the test


def test_the_settings_alone_import_neither_fastapi_nor_sqlalchemy() -> None:
    loaded = modules_after("import watchword; watchword.Settings")
    assert "pydantic_settings" in loaded
    assert not {"fastapi", "starlette", "sqlalchemy", "alembic"} & loaded


def test_the_package_alone_imports_nothing() -> None:
    assert not {"pydantic", "fastapi", "sqlalchemy"} & modules_after("import watchword")


def test_an_app_imports_nothing_of_the_command_line_and_of_what_it_may_never_need() -> None:
    loaded = modules_after("from watchword import Watchword, CurrentUser; import watchword.app")
    assert {"fastapi", "sqlalchemy"} <= loaded
    assert (
        not {"typer", "rich", "alembic", "zxcvbn", "jinja2", "pytest", "uvicorn", "asyncpg", "pyotp", "segno"} & loaded
    )
