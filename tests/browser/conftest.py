"""A real browser in front of a real server; what Swagger UI loads from its CDN comes from its npm package."""

import fcntl
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, Route, sync_playwright
from starlette.types import ASGIApp
from tests.conftest import missing

HERE = Path(__file__).parent
SWAGGER = HERE / "node_modules" / "swagger-ui-dist"
AXE = HERE / "node_modules" / "axe-core" / "axe.min.js"
CHROMIUMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""Commands that start one; the first, which draws no windows of its own, takes two thirds of the others' time."""
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def swagger_files() -> Path:
    """Swagger UI as npm has it."""
    install(SWAGGER / "swagger-ui.css")
    return SWAGGER


@pytest.fixture(scope="session")
def axe() -> str:
    """axe-core as npm has it: a script that looks for what keeps people from using a page."""
    install(AXE)
    return AXE.read_text("utf-8")


@pytest.fixture(scope="session")
def npm_files() -> Path:
    """The packages of other people's clients."""
    for package in ("openid-client", "oidc-client-ts"):
        install(HERE / "node_modules" / package / "package.json")
    return HERE / "node_modules"


def install(wanted: Path) -> None:
    """Install what is in the lock, at the first need."""
    if not wanted.exists():
        npm = shutil.which("npm")
        if npm is None:
            missing("npm")
        with Path(tempfile.gettempdir(), "watchword-npm.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # of several workers, one installs
            if not wanted.exists():
                subprocess.run(
                    [npm or "npm", "ci", "--no-audit", "--no-fund"], cwd=HERE, check=True, capture_output=True
                )


@pytest.fixture(scope="module")  # its event loop would be in the way of other tests in this thread
def browser() -> Iterator[Browser]:
    """The system's Chromium, without a window."""
    executable = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if executable is None:
        missing("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, swagger_files: Path) -> Iterator[Page]:
    """A page that reaches our server and Swagger's two files, and nothing else."""
    context = browser.new_context(viewport={"width": 1200, "height": 1000})
    page = context.new_page()
    page.set_default_timeout(10_000)

    def answer(route: Route) -> None:
        url = route.request.url
        name = url.rpartition("/")[2]
        if url.startswith("http://127.0.0.1:"):
            route.continue_()
        elif name in {"swagger-ui-bundle.js", "swagger-ui.css"}:
            route.fulfill(path=swagger_files / name)
        else:
            route.abort()

    page.route("**/*", answer)
    yield page
    context.close()


def a_free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def free_port() -> Callable[[], int]:
    """Ports for apps that must know their address before they run."""
    return a_free_port


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    """Runs an app under uvicorn on a free port of the loopback; gives its address."""
    servers: list[tuple[uvicorn.Server, threading.Thread]] = []

    def start(app: ASGIApp, port: int | None = None) -> str:
        port = port or a_free_port()
        server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning"))
        thread = threading.Thread(target=server.run)
        thread.start()
        servers.append((server, thread))
        deadline = time.monotonic() + 20
        while not server.started:
            assert thread.is_alive()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        return f"http://127.0.0.1:{port}"

    yield start
    for server, thread in servers:
        server.should_exit = True
        thread.join(10)
