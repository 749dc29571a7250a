"""`watchword secrets …`: what its commands do."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from watchword.cli.database import current_database
from watchword.crypto.sealing import Sealer
from watchword.flows.reseal import Reseal
from watchword.identity.secret_file import secrets_in_force
from watchword.settings import load_settings


@dataclass(frozen=True, slots=True)
class Counted:
    """Sealed values of one column under one key.

    Attributes:
        secret: The place of the secret in the list, from 1; None if it is not in there.
    """

    column: str
    secret: int | None
    key_id: str
    rows: int

    def as_dict(self) -> dict[str, object]:
        """For a program."""
        return {"what": self.column, "secret": self.secret, "key_id": self.key_id, "rows": self.rows}

    def as_row(self) -> tuple[str, ...]:
        """For a person."""
        secret = "not in WATCHWORD_SECRET" if self.secret is None else str(self.secret)
        return self.column, secret, self.key_id, str(self.rows)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was sealed anew, what does not open, and what is under another secret than the first now."""

    resealed: int
    unopened: int
    left: int


async def count_sealed() -> Sequence[Counted]:
    """What is sealed under which secret.

    Raises:
        ConfigurationError: The database does not answer, or has another schema.
    """
    sealer = _sealer()
    async with current_database() as database:
        return await _count(Reseal(database, sealer))


async def reseal_everything() -> Outcome:
    """Seal everything under the first secret, with a bar on a terminal.

    Raises:
        ConfigurationError: The database does not answer, or has another schema.
    """
    sealer = _sealer()
    resealed = unopened = 0
    async with current_database() as database:
        reseal = Reseal(database, sealer)
        with _progress(_left(await _count(reseal))) as advance:
            async for batch in reseal():
                resealed, unopened = resealed + batch.resealed, unopened + batch.unopened
                advance(batch.seen)
        return Outcome(resealed, unopened, _left(await _count(reseal)))


def _sealer() -> Sealer:
    return Sealer.from_secrets(secrets_in_force(load_settings()))


async def _count(reseal: Reseal) -> Sequence[Counted]:
    place = {key_id: number for number, key_id in enumerate(reseal.sealer.key_ids, 1)}
    return [
        Counted(column.value, place.get(key_id), key_id.hex(), rows)
        for column, under in (await reseal.count()).items()
        for key_id, rows in sorted(under.items(), key=lambda each: place.get(each[0], len(place) + 1))
    ]


def _left(counted: Sequence[Counted]) -> int:
    return sum(row.rows for row in counted if row.secret != 1)


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    """A bar by rows, on a terminal; nothing elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("Sealing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("reseal", total=total)
        yield lambda number: progress.advance(task, number)
