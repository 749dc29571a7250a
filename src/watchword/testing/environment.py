"""Where the tests of a host keep their users: never in the developer's database."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from glob import glob
from pathlib import Path
from typing import Final

import pytest

FIXTURE: Final = "watchword_app"
TEST_DATABASE: Final = "WATCHWORD_TEST_DATABASE_URL"
_CHEAPEST_HASH: Final = "m=7168,t=1,p=1"
_NOT_SEARCHED: Final = frozenset({"node_modules", "venv", "site-packages", "__pycache__", "build", "dist"})


def uses_plugin(config: pytest.Config) -> bool:
    """Whether a `conftest.py` of these tests speaks of the fixture. Read as text: importing it would be too late."""
    return any(FIXTURE in path.read_text("utf-8", errors="replace") for path in _conftests(config))


def isolate(config: pytest.Config) -> None:
    """Point the settings at the tests' database, with a cheap password hash, until pytest ends.

    Raises:
        pytest.UsageError: This is production.
    """
    if _variable("WATCHWORD_ENVIRONMENT") == "production":
        raise pytest.UsageError("WATCHWORD_ENVIRONMENT is production: tests make users, so they do not run there")
    url = _variable(TEST_DATABASE) or _throw_away(config)
    ours = {
        "WATCHWORD_DATABASE_URL": url,
        "WATCHWORD_ENVIRONMENT": "development",
        "WATCHWORD_PASSWORD_COST": _CHEAPEST_HASH,
        "WATCHWORD_RATE_LIMITS": "false",  # all tests have one address
        # The same at every run on a database that stays: its keys are sealed with it.
        "WATCHWORD_SECRET": hashlib.sha256(f"watchword tests on {url}".encode()).hexdigest(),
    }
    patch = pytest.MonkeyPatch()
    config.add_cleanup(patch.undo)
    for name in [name for name in os.environ if name.upper() in ours]:  # settings take lower case too
        patch.delenv(name)
    for name, value in ours.items():
        patch.setenv(name, value)


def _throw_away(config: pytest.Config) -> str:
    folder = tempfile.TemporaryDirectory(prefix="watchword-tests-", ignore_cleanup_errors=True)
    config.add_cleanup(folder.cleanup)
    return f"sqlite+aiosqlite:///{folder.name}/watchword.db"


def _variable(name: str) -> str:
    return next((value for key, value in os.environ.items() if key.upper() == name), "")


def _conftests(config: pytest.Config) -> Iterator[Path]:
    """The files that pytest would load for these arguments: below them, and above up to the root."""
    for start in _tested(config):
        folder = start if start.is_dir() else start.parent
        candidates = [above for above in folder.parents if above.is_relative_to(config.rootpath)]
        candidates += _folders_below(folder)
        yield from (path for path in (each / "conftest.py" for each in candidates) if path.is_file())


def _folders_below(top: Path) -> Iterator[Path]:
    for path, folders, files in os.walk(top):
        folders[:] = [name for name in folders if name not in _NOT_SEARCHED and not name.startswith(".")]
        if "pyvenv.cfg" in files:  # a virtual environment, whatever its name
            folders.clear()
        yield Path(path)


def _tested(config: pytest.Config) -> list[Path]:
    here = config.invocation_params.dir
    arguments = config.known_args_namespace.file_or_dir
    if not arguments and here == config.rootpath:
        arguments = [path for pattern in config.getini("testpaths") for path in glob(str(here / pattern))]  # noqa: PTH207 — takes absolute ones too
    return [here / argument.partition("::")[0] for argument in arguments or [str(here)]]
