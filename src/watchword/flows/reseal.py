"""After another secret was made the first: seal under it what is sealed under the others."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Final

from watchword.crypto.sealing import KEY_ID, SealBroken, Sealer, row_context
from watchword.storage import Database
from watchword.storage.sealed import SealedColumn, SealedValue

_AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True)
class Resealed:
    """What became of some values of a column.

    Attributes:
        seen: How many there were.
        resealed: How many are sealed under the first secret now. Others were replaced meanwhile, or do not open.
        unopened: How many do not open: under no secret of the list, or altered.
    """

    column: SealedColumn
    seen: int
    resealed: int
    unopened: int


@dataclass(frozen=True, slots=True)
class Reseal:
    """Seals again, while apps run. Cut short and run again, it goes on. Each method raises `StorageDown`."""

    storage: Database
    sealer: Sealer

    async def count(self) -> Mapping[SealedColumn, Mapping[bytes, int]]:
        """How many values of each column are sealed under which key."""
        async with self.storage.reading() as stores:
            return {column: await stores.sealed.count(column, KEY_ID) for column in SealedColumn}

    async def __call__(self) -> AsyncIterator[Resealed]:
        """Seal under the first secret whatever is not; tells of each batch once it is committed."""
        for column in SealedColumn:
            last = None
            while True:
                async with self.storage.reading() as stores:
                    page = await stores.sealed.page(
                        column, KEY_ID, not_under=self.sealer.key_ids[0], after=last, limit=_AT_ONCE
                    )
                if not page:
                    break
                anew = [(value, self._seal_anew(column, value)) for value in page]
                async with self.storage.transaction() as stores:
                    # Only in the place of what was read: a factor that was replaced meanwhile stays the new one.
                    done = [await stores.sealed.replace(column, value, by) for value, by in anew if by is not None]
                last = page[-1].id
                yield Resealed(column, len(page), sum(done), len(page) - len(done))

    def _seal_anew(self, column: SealedColumn, value: SealedValue) -> bytes | None:
        table, _, name = column.partition(".")
        context = row_context(table, name, str(value.id))
        try:
            return self.sealer.seal(self.sealer.unseal(value.sealed, context), context)
        except SealBroken:
            return None
