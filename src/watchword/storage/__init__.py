"""SQL and nothing else: the tables, one store a noun, transactions. The same statements on SQLite and PostgreSQL."""

from watchword.storage.database import Database, Stores, open_database

__all__ = ["Database", "Stores", "open_database"]
