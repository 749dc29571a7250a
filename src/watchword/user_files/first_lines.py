"""Who was in the file before, without keeping all of it in memory."""

import secrets
import sqlite3
from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

from watchword.errors import ConfigurationError

_CACHE_KIB: Final = 8192


class FirstLines:
    """The line on which each key came first: in a temporary file, as digests under a key that is forgotten.

    The file is SQLite's own, has no name, and is gone when the process is.
    """

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)
        self._connection = sqlite3.connect("", isolation_level=None)
        for pragma in ("journal_mode=OFF", "synchronous=OFF", f"cache_size=-{_CACHE_KIB}"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.execute("CREATE TABLE first (key BLOB PRIMARY KEY, line INTEGER NOT NULL) WITHOUT ROWID")
        self._connection.execute("BEGIN")

    def note(self, keys: Sequence[str], *, line: int) -> int | None:
        """Note who is on this line; the line before that has one of the keys, in which case nothing is noted.

        Raises:
            ConfigurationError: The temporary file cannot be written.
        """
        digests = [blake2b(key.encode(), digest_size=16, key=self._secret).digest() for key in keys]
        try:
            for digest in digests:
                row = self._connection.execute("SELECT line FROM first WHERE key = ?", (digest,)).fetchone()
                if row is not None:
                    return int(row[0])
            self._connection.executemany("INSERT INTO first VALUES (?, ?)", [(digest, line) for digest in digests])
        except sqlite3.Error as error:
            raise ConfigurationError(
                f"a temporary file cannot be written ({error}): make room, or set TMPDIR to another folder"
            ) from None
        return None

    def close(self) -> None:
        """Forget all."""
        self._connection.close()
