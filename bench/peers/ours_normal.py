"""Watchword on a SQLite that may lose its last commits in a power cut: what durability costs."""

from fastapi import FastAPI

from watchword import Watchword
from watchword.storage import database

database.PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON")  # type: ignore[misc]  # for the bench alone

app = FastAPI()
Watchword().install(app)
