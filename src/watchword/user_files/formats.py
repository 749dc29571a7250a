"""The formats that are read, and how one is told from another."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from watchword.crypto.foreign_hashes import FirebaseParameters
from watchword.user_files import users
from watchword.user_files.csv_lines import CsvReader
from watchword.user_files.json_stream import TOO_LONG, array_elements, parse_object
from watchword.user_files.rows import BadRow, Refused, UserRow
from watchword.user_files.source import LONGEST_ROW, Source


class FileFormat(StrEnum):
    """What a file of users can be."""

    CSV = "csv"
    JSONL = "jsonl"
    KEYCLOAK = "keycloak"
    AUTH0 = "auth0"
    FIREBASE = "firebase"


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What a file does not say by itself.

    Attributes:
        firebase: How the Firebase project hashed.
        profile_fields: Where in an exported user a field of the profile is: `{"city": "attributes.city"}`.
    """

    firebase: FirebaseParameters | None = field(default=None, repr=False)
    profile_fields: Mapping[str, str] = field(default_factory=dict)


_OWN: Final = {FileFormat.CSV, FileFormat.JSONL}
_LINES: Final = {FileFormat.JSONL, FileFormat.AUTH0}


def guess_format(name: str, head: bytes) -> FileFormat | None:
    """What a file seems to be, by its name and its first bytes; None if they do not tell.

    Args:
        name: The file's; `-` tells nothing.
        head: As `Source` has it.
    """
    if name.lower().endswith((".csv", ".tsv")):
        return FileFormat.CSV
    start = head.lstrip()
    if start.startswith(b"[") or not start:
        return None
    if not start.startswith(b"{"):
        return FileFormat.CSV if b"email" in start.partition(b"\n")[0] else None
    if (first := _first_object(start)) is not None and "users" not in first:
        return FileFormat.AUTH0 if "passwordHash" in first else FileFormat.JSONL if "email" in first else None
    if b'"localId"' in start:
        return FileFormat.FIREBASE
    return FileFormat.KEYCLOAK if b'"realm"' in start or b'"credentials"' in start else None


def _first_object(start: bytes) -> Mapping[str, Any] | None:
    try:
        return parse_object(start.partition(b"\n")[0])
    except BadRow:
        return None


def read_rows(source: Source, file_format: FileFormat, options: ReadOptions) -> Iterator[UserRow | Refused]:
    """The users of a file, in its order, and what is refused of it.

    Raises:
        BadRow: It cannot be read as this format at all, or not without an option.
    """
    if file_format in _OWN and options.profile_fields:
        raise BadRow("fields of the profile are named in the file itself: see the documentation of its format")
    if file_format is FileFormat.CSV:
        return _csv_rows(source)
    return _json_rows(source, file_format, _converter(file_format, options))


def _converter(file_format: FileFormat, options: ReadOptions) -> users.Converter:
    fields = options.profile_fields
    if file_format is FileFormat.KEYCLOAK:
        return lambda record: users.keycloak_user(record, fields)
    if file_format is FileFormat.AUTH0:
        return lambda record: users.auth0_user(record, fields)
    if file_format is FileFormat.FIREBASE:
        parameters = options.firebase
        if parameters is None:
            raise BadRow("Firebase's hashes need the project's password hash parameters")
        return lambda record: users.firebase_user(record, fields, parameters)
    return users.own_user


def _csv_rows(source: Source) -> Iterator[UserRow | Refused]:
    reader = CsvReader(source.lines(), required="email")
    columns = users.check_columns(reader.columns)
    return (_row(record.line, record.size, record.fields, columns) for record in reader.records())


def _row(line: int, size: int, fields: list[str] | BadRow, columns: list[str]) -> UserRow | Refused:
    if isinstance(fields, BadRow):
        return Refused(line, None, str(fields))
    return _converted(line, size, dict(zip(columns, fields, strict=True)), users.csv_user)


def _json_rows(source: Source, file_format: FileFormat, convert: users.Converter) -> Iterator[UserRow | Refused]:
    is_array = source.head.lstrip().startswith(b"[")
    if is_array or file_format not in _LINES:
        texts = (
            (element.line, element.data, element.problem)
            for element in array_elements(source.chunks(), key=None if is_array else "users")
        )
    else:
        texts = (
            (line.number, line.data or b"", TOO_LONG if line.data is None else None)
            for line in source.lines()
            if line.data is None or line.data.strip()
        )
    for line, data, problem in texts:
        try:
            if problem is not None:
                raise BadRow(problem)  # noqa: TRY301
            record = parse_object(data)
        except BadRow as bad:
            yield Refused(line, None, str(bad))
        else:
            yield _converted(line, min(len(data), LONGEST_ROW), record, convert)


def _converted(line: int, size: int, record: Mapping[str, Any], convert: users.Converter) -> UserRow | Refused:
    try:
        user = convert(record)
    except BadRow as bad:
        email = record.get("email")
        return Refused(line, email if isinstance(email, str) else None, str(bad))
    return UserRow(line=line, size=size, user=user)
