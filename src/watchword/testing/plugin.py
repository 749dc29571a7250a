"""The pytest plugin for host apps: `as_user(scopes=…)`, `anonymous` and `route_case`.

It loads in every project that has Watchword installed, so it imports nothing of it until a fixture is used, and touches
nothing in a project without the fixture `watchword_app`:

```python
@pytest.fixture
def watchword_app() -> FastAPI:
    return app

def test_orders(as_user: AsUser) -> None:
    assert as_user(scopes=["orders:read"]).get("/orders").status_code == 200

@pytest.mark.public_routes("GET /")
def test_routes_refuse_whom_they_should(route_case: RouteCase) -> None:
    route_case()
```
"""

from collections.abc import Collection, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

import pytest

from watchword.testing.environment import FIXTURE, isolate, uses_plugin

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.testclient import TestClient

    from watchword.testing.clients import StartedApp, UserClient

_isolated: Final = pytest.StashKey[bool]()
_NEEDS_HTTPX2: Final = "as_user, anonymous and route_case need the package httpx2: pip install httpx2"


class AsUser(Protocol):
    """The type of the fixture `as_user`."""

    def __call__(
        self, *, scopes: Collection[str] = (), email: str | None = None, profile: Mapping[str, Any] | None = None
    ) -> "UserClient":
        """A client whose requests carry the token of a user; each call is another login on the same started app.

        Args:
            scopes: What the token carries: scopes that the app declares, or reserved ones such as `admin`.
            email: Whose login; the account is made if there is none. By default a new user each time.
            profile: Fields of the user's profile, of an account that exists too.

        Raises:
            ValueError: A scope is neither declared nor reserved; the message names it.
        """
        ...


class RouteCase(Protocol):
    """The type of the fixture `route_case`."""

    def __call__(self) -> None:
        """Ask one route as one who must be refused, and fail if that is not what happens."""
        ...


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Set the tests' database before any module of the host, which may say `Watchword()` at import, is loaded."""
    if uses_plugin(early_config):
        isolate(early_config)
        early_config.stash[_isolated] = True


def pytest_configure(config: pytest.Config) -> None:
    """Tell pytest the marker."""
    config.addinivalue_line("markers", "public_routes(*names): routes that are meant to be public, such as 'GET /'")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make the cases of a test that asks for `route_case`: route × who must be refused."""
    if "route_case" not in metafunc.fixturenames:
        return
    try:
        from watchword.testing.matrix import app_of, cases
    except RuntimeError:  # Starlette's, whose test client misses its package
        raise pytest.UsageError(_NEEDS_HTTPX2) from None
    marks = metafunc.definition.iter_markers("public_routes")
    public = {name for mark in marks for name in mark.args}
    found = cases(app_of(metafunc.config, str(metafunc.definition.path)), public)
    metafunc.parametrize("route_case", [pytest.param(case, id=case.id) for case in found], indirect=True)


@pytest.fixture
def watchword_app() -> "FastAPI":
    """The app under test: every project defines its own."""
    return pytest.fail(f"define a fixture {FIXTURE} in conftest.py that returns your FastAPI app", pytrace=False)


@pytest.fixture
def _started_app(request: pytest.FixtureRequest) -> "Iterator[StartedApp]":
    app = request.getfixturevalue(FIXTURE)
    if _isolated not in request.config.stash:
        pytest.fail(
            f"the fixture {FIXTURE} must stand in a conftest.py of the tests that are run: it tells the plugin to keep "
            "them off your database before your modules read their settings",
            pytrace=False,
        )
    try:
        from watchword.testing.clients import StartedApp
    except RuntimeError:  # Starlette's, whose test client misses its package
        pytest.fail(_NEEDS_HTTPX2, pytrace=False)
    with StartedApp.start(app) as started:
        yield started


@pytest.fixture
def as_user(_started_app: "StartedApp") -> AsUser:
    """Users of the app, with real tokens: see `AsUser`."""
    return _started_app.as_user


@pytest.fixture
def anonymous(_started_app: "StartedApp") -> "TestClient":
    """A client of the same started app, without a token."""
    return _started_app.anonymous


@pytest.fixture
def route_case(request: pytest.FixtureRequest, _started_app: "StartedApp") -> RouteCase:
    """One route, and one who must be refused there: see `RouteCase`."""
    return partial(request.param, _started_app)
