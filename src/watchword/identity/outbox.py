"""Letters that are to be sent: sealed, in the transaction that causes them. A link in one is a credential."""

import json
from dataclasses import asdict
from datetime import timedelta
from typing import Final
from uuid import UUID

from watchword.background import Bell
from watchword.crypto.ids import new_id
from watchword.crypto.sealing import Sealer, row_context
from watchword.mail import Letter
from watchword.storage import Stores
from watchword.storage.outbox import Claimed, NewOutboxEntry

NOTICE_LIFETIME: Final = timedelta(days=1)
"""How long a mail without a link is worth sending."""


class Outbox:
    """Where letters are put, and taken from.

    Args:
        sealer: What they are sealed with.
    """

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer
        self.bell = Bell()

    async def put(self, stores: Stores, letter: Letter, *, lifetime: timedelta = NOTICE_LIFETIME) -> None:
        """Write a letter within a transaction; call `wake` when it is committed.

        Args:
            stores: The transaction's.
            letter: What is to be sent.
            lifetime: After it, sending is of no use.
        """
        entry_id = new_id()
        sealed = self._sealer.seal(json.dumps(asdict(letter)).encode(), _context(entry_id))
        await stores.outbox.add(NewOutboxEntry(entry_id, letter.kind, sealed, lifetime))

    def open(self, claimed: Claimed) -> Letter:
        """Read a letter.

        Raises:
            SealBroken: It was altered, or sealed under a secret that is gone.
        """
        return Letter(**json.loads(self._sealer.unseal(claimed.sealed, _context(claimed.id))))

    def wake(self) -> None:
        """Have what was committed sent now."""
        self.bell.ring()


def _context(entry_id: UUID) -> bytes:
    return row_context("outbox", "payload_sealed", str(entry_id))
