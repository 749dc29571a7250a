"""Send what is in the outbox, in the background: a request only writes a row."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from watchword.background import AT_ONCE, LEASE, delay_after, emptying
from watchword.crypto.sealing import SealBroken
from watchword.events import Events, MailDelayed, MailFailed, MailSent
from watchword.identity.outbox import Outbox
from watchword.mail import Mailer, MailNotSent
from watchword.mail.templates import Templates
from watchword.storage import Database
from watchword.storage.outbox import Claimed

_log: Final = logging.getLogger("watchword.mail")
_SEND_SECONDS: Final = 20
_EVERY_SECONDS: Final = 5


@dataclass(frozen=True, slots=True)
class SendMail:
    """Sends what is due. A process that dies between sending and noting it sends that mail twice; none is lost."""

    storage: Database
    outbox: Outbox
    templates: Templates
    mailer: Mailer
    events: Events

    async def __call__(self) -> int:
        """Send up to ten mails at once; how many were tried.

        Raises:
            StorageDown: The database does not answer.
        """
        async with self.storage.reading() as stores:
            if not await stores.outbox.is_anything_due():
                return 0
        async with self.storage.transaction() as stores:
            late = await stores.outbox.expire(limit=AT_ONCE)
            claimed = await stores.outbox.claim(lease=LEASE, limit=AT_ONCE)
        for entry in late:
            await self.events.emit(
                MailFailed(kind=entry.kind, attempts=entry.attempts, reason=entry.last_error or "", mail_id=entry.id)
            )
        await asyncio.gather(*(self._send(each) for each in claimed))
        return len(late) + len(claimed)

    async def _send(self, claimed: Claimed) -> None:
        try:
            letter = self.outbox.open(claimed)
            if letter.to is not None:
                async with asyncio.timeout(_SEND_SECONDS):
                    await self.mailer.send(self.templates.render(letter))
        except MailNotSent as error:
            await self._failed(claimed, str(error), is_final=error.is_final)
        except SealBroken:
            await self._failed(claimed, "it was sealed under a secret that is not in WATCHWORD_SECRET", is_final=True)
        except Exception as error:  # noqa: BLE001 — a mailer of the host's; what it says might quote the mail
            await self._failed(claimed, type(error).__name__, is_final=False)
        else:
            async with self.storage.transaction() as stores:
                await stores.outbox.remove(claimed.id)
            if letter.to is not None:
                await self.events.emit(MailSent(kind=claimed.kind))

    async def _failed(self, claimed: Claimed, reason: str, *, is_final: bool) -> None:
        delay = None if is_final else delay_after(claimed.attempts)
        async with self.storage.transaction() as stores:
            await stores.outbox.put_off(claimed, reason, delay=delay)
        kind, attempts = claimed.kind, claimed.attempts
        if is_final:
            await self.events.emit(MailFailed(kind=kind, attempts=attempts, reason=reason, mail_id=claimed.id))
        else:
            await self.events.emit(MailDelayed(kind=kind, attempts=attempts, reason=reason))


@asynccontextmanager
async def sending(send: SendMail, *, every: float = _EVERY_SECONDS) -> AsyncIterator[None]:
    """Send what this process posts at once, and every so many seconds what others left, within a block."""
    async with emptying(send.__call__, send.outbox.bell, every=every, name="mail", log=_log):
        yield
