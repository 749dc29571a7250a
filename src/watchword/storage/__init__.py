"""SQL and nothing else: the tables, one store a noun, transactions. The same statements on SQLite and PostgreSQL."""

from watchword.storage.database import Database, Stores

__all__ = ["Database", "Stores"]
