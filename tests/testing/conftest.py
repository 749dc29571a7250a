"""Host projects, in an environment without settings."""

import os

import pytest
from tests.testing.projects import APP, CONFTEST


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("WATCHWORD_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """A host project: an app that reads its settings at import, and a conftest that imports the app."""
    pytester.makepyfile(shop=APP)
    pytester.makeconftest(CONFTEST)
    return pytester
