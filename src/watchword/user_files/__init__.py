"""Files of users as they were exported elsewhere, read as a stream, row by row. No database, no rules of accounts."""

from watchword.user_files.formats import FileFormat, ReadOptions, guess_format, read_rows
from watchword.user_files.rows import BadRow, Refused, User, UserRow
from watchword.user_files.source import Source

__all__ = ["BadRow", "FileFormat", "ReadOptions", "Refused", "Source", "User", "UserRow", "guess_format", "read_rows"]
