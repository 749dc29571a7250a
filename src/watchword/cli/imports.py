"""`watchword users import`."""

import asyncio
import os
import re
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final

from watchword.cli.import_report import Report, reporting
from watchword.cli.output import print_json, say
from watchword.cli.started import AnyProfile
from watchword.cli.users import new_users_roles
from watchword.crypto.foreign_hashes import FirebaseParameters
from watchword.errors import ConfigurationError, InvalidInput, StorageDown
from watchword.flows.import_users import ImportUsers, Outcome
from watchword.settings import load_settings
from watchword.storage import Database, open_database
from watchword.storage.schema import require_current, upgrade
from watchword.user_files import BadRow, FileFormat, ReadOptions, Refused, Source, UserRow, guess_format, read_rows

_STANDARD_INPUT: Final = "-"
_SHOWN: Final = 10
_PROFILE_FIELD: Final = re.compile(r"([^=]+)=([^=]+)")


@dataclass(slots=True)
class Summary:
    """What became of a file so far. `shown` are the first refused rows, for the screen."""

    file_format: FileFormat
    dry_run: bool
    imported: int = 0
    existing: int = 0
    refused: int = 0
    without_password: int = 0
    schemes: Counter[str] = field(default_factory=Counter)
    shown: list[Refused] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Rows so far."""
        return self.imported + self.existing + self.refused

    def add(self, outcome: Outcome) -> None:
        """Count a batch."""
        self.imported += outcome.imported
        self.existing += outcome.existing
        self.refused += len(outcome.refused)
        self.without_password += outcome.without_password
        self.schemes += outcome.schemes
        self.shown += outcome.refused[: _SHOWN - len(self.shown)]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "format": self.file_format.value,
            "dry_run": self.dry_run,
            "imported": self.imported,
            "existing": self.existing,
            "refused": self.refused,
            "without_password": self.without_password,
            "schemes": dict(self.schemes.most_common()),
        }

    def as_lines(self) -> Iterator[str]:
        """For a person."""
        would = "would be " if self.dry_run else ""
        yield f"{self.imported} {would}imported, {self.existing} there already, {self.refused} refused."
        if self.without_password:
            yield f"Without a password: {self.without_password}."
        if self.schemes:
            kinds = ", ".join(f"{scheme} ({count})" for scheme, count in self.schemes.most_common())
            yield f"Password hashes: {kinds}."


def import_file(
    file: str,
    *,
    format_name: str | None,
    dry_run: bool,
    report: str | None,
    hash_parameters: str | None,
    profile_fields: Sequence[str],
    as_json: bool,
) -> int:
    """Import a file and tell what became of it; how many rows were refused.

    Raises:
        InvalidInput: A file or an option cannot be used.
        ConfigurationError: The database does not answer, or has another schema.
    """
    options = ReadOptions(_read_parameters(hash_parameters), _read_profile_fields(profile_fields))
    path = None if file == _STANDARD_INPUT else Path(file)
    with _opened(path) as stream:
        source = Source(stream)
        chosen = _format(format_name, file, source)
        try:
            rows = read_rows(source, chosen, options)
        except BadRow as bad:
            raise InvalidInput(text=f"{file}: {bad}") from None
        summary = Summary(chosen, dry_run)
        with reporting(Path(report) if report else None, imported=path) as write:
            try:
                with _progress(stream, source) as advance:
                    asyncio.run(_import(rows, summary, write, advance))
            except BaseException:  # interrupted, or the database went away: what was counted is in
                if summary.count:
                    _tell(summary, report, as_json=as_json)
                raise
    _tell(summary, report, as_json=as_json)
    return summary.refused


async def _import(
    rows: Iterator[UserRow | Refused],
    summary: Summary,
    write: Report,
    advance: Callable[[], None],
) -> None:
    async with (
        _database(dry_run=summary.dry_run) as database,
        aclosing(ImportUsers(database, AnyProfile, new_users_roles())(rows, dry_run=summary.dry_run)) as outcomes,
    ):
        try:
            async for outcome in outcomes:
                summary.add(outcome)
                write(outcome.refused)
                advance()
        except StorageDown as error:
            if not summary.count:
                raise
            raise ConfigurationError(
                f"the database does not answer any more ({error.detail}): run the same command again, it goes on"
            ) from None


@asynccontextmanager
async def _database(*, dry_run: bool) -> AsyncIterator[Database]:
    settings = load_settings()
    database = open_database(settings)
    try:
        if settings.is_production or dry_run:
            await require_current(database)
        else:
            await upgrade(database)
        yield database
    except StorageDown as error:
        raise error.at_startup() from None
    finally:
        await database.close()


def _tell(summary: Summary, report: str | None, *, as_json: bool) -> None:
    for row in summary.shown:
        sys.stderr.write(f"line {row.line}: {row.reason}" + (f" ({row.email})\n" if row.email else "\n"))
    if summary.refused > len(summary.shown):
        where = f"all are in {report}" if report else "--report FILE writes all of them"
        sys.stderr.write(f"and {summary.refused - len(summary.shown)} more refused rows; {where}\n")
    if as_json:
        print_json(summary.as_dict())
    else:
        for line in summary.as_lines():
            say(line)


@contextmanager
def _opened(path: Path | None) -> Iterator[BinaryIO]:
    if path is None:
        yield sys.stdin.buffer
        return
    try:
        stream = path.open("rb")
    except OSError as error:
        raise InvalidInput(text=f"{path} cannot be read: {error.strerror}") from None
    with stream:
        yield stream


def _format(name: str | None, file: str, source: Source) -> FileFormat:
    names = ", ".join(FileFormat)
    if name is None:
        guessed = guess_format(file, source.head)
        if guessed is None:
            raise InvalidInput(text=f"{file}: what format it has does not show: say --format ({names})")
        return guessed
    try:
        return FileFormat(name)
    except ValueError:
        raise InvalidInput(text=f"--format is one of {names}") from None


def _read_parameters(file: str | None) -> FirebaseParameters | None:
    if file is None:
        return None
    try:
        return FirebaseParameters.parse(Path(file).read_text("utf-8"))
    except OSError as error:
        raise InvalidInput(text=f"{file} cannot be read: {error.strerror}") from None
    except ValueError as error:
        reason = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
        raise InvalidInput(text=f"{file} does not hold Firebase's password hash parameters: {reason}") from None


def _read_profile_fields(texts: Sequence[str]) -> dict[str, str]:
    fields = {}
    for text in texts:
        match = _PROFILE_FIELD.fullmatch(text)
        if match is None:
            raise InvalidInput(text="--profile-field is NAME=PATH, such as city=attributes.city")
        fields[match[1]] = match[2]
    return fields


@contextmanager
def _progress(stream: BinaryIO, source: Source) -> Iterator[Callable[[], None]]:
    """A bar by bytes, on a terminal; nothing elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("Importing"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        size = os.fstat(stream.fileno()).st_size
        task = progress.add_task("import", total=size or None)  # a pipe has no size
        yield lambda: progress.update(task, completed=source.position)
