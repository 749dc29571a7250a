import pytest
from fastapi import FastAPI

from orders.main import app


@pytest.fixture
def watchword_app() -> FastAPI:
    """What Watchword's plugin asks for; it gives `as_user` and `anonymous`."""
    return app
