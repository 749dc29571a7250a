"""Asking an app in process: what is asked, with what, and what never is."""

import time
from pathlib import Path

import pytest

from tests.check.conftest import Check
from watchword.check.errors import CheckError
from watchword.check.load import load
from watchword.check.probe import Probed, probe
from watchword.check.rules.ww501_guard_lets_anonymous_in import RULE as WW501
from watchword.check.rules.ww502_unsigned_token_accepted import RULE as WW502
from watchword.check.rules.ww505_login_tells_users_apart import RULE as WW505
from watchword.check.subject import Subject

GUARDED = """
import asyncio, enum, time, uuid
from datetime import date
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request
from fastapi.responses import StreamingResponse
from fastapi.security import HTTPBearer, OAuth2PasswordRequestForm

seen = []
app = FastAPI()

@app.middleware("http")
async def note(request, call_next):
    seen.append((request.method, request.url.path, request.url.query, request.client.host))
    return await call_next(request)

guard = Depends(HTTPBearer())
"""


def probed(check_file: Check, tmp_path: Path, text: str) -> tuple[Probed, Subject]:
    assert check_file is not None, "what is imported here is forgotten afterwards"
    path = tmp_path / "main.py"
    path.write_text(text)
    subject = Subject.of(load(str(path)))
    return probe(subject), subject


def seen(subject: Subject) -> list[tuple[str, str, str, str]]:
    found: list[tuple[str, str, str, str]] = subject.target.module.seen
    return found


def test_only_guarded_gets_and_logins_are_asked(check_file: Check, tmp_path: Path) -> None:
    _, subject = probed(
        check_file,
        tmp_path,
        GUARDED
        + """
@app.get("/public")
def public(): ...

@app.get("/orders", dependencies=[guard])
def orders(): ...

@app.post("/orders", dependencies=[guard])
def place(): ...

@app.delete("/orders/{number}", dependencies=[guard])
def cancel(number: int): ...

@app.post("/register")
def register(username: str, password: str): ...

@app.post("/token")
def token(form: OAuth2PasswordRequestForm = Depends()):
    raise HTTPException(401)
""",
    )
    assert {(method, path) for method, path, _query, _host in seen(subject)} == {("GET", "/orders"), ("POST", "/token")}
    assert {host for *_, host in seen(subject)} == {"203.0.113.7"}, "not an address that apps trust"


def test_parameters_are_filled_by_their_type(check_file: Check, tmp_path: Path) -> None:
    _, subject = probed(
        check_file,
        tmp_path,
        GUARDED
        + """
class Size(enum.Enum):
    SMALL = "s"

router = APIRouter(prefix="/shops/{shop}", dependencies=[guard])

@router.get("/{number}/{key}/{size}/{day}/{rest:path}")
def show(shop: uuid.UUID, number: int, key: str, size: Size, day: date, rest: str, page: int, api_key: str, q=""):
    ...

app.include_router(router)
""",
    )
    uuid = "00000000-0000-4000-8000-000000000001"
    assert seen(subject)[0][:3] == ("GET", f"/shops/{uuid}/1/1/s/2000-01-01/1", "page=1")


def test_what_gives_no_whole_answer_in_time_is_cut_off_and_named(
    check_file: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("watchword.check.asgi._LONGEST_ANSWER", 0.2)
    began = time.monotonic()
    answers, _ = probed(
        check_file,
        tmp_path,
        """
import asyncio
from fastapi import Depends, FastAPI, Request
from fastapi.responses import StreamingResponse

app = FastAPI()

def key(request: Request):
    if request.headers.get("x-api-key", "").startswith("wrong"):
        raise PermissionError(401)
guard = Depends(key)

async def for_ever():
    while True:
        yield b"."
        await asyncio.sleep(0.01)

@app.get("/stream", dependencies=[guard])
def stream():
    return StreamingResponse(for_ever())

@app.get("/slow", dependencies=[guard])
async def slow():
    await asyncio.sleep(60)

@app.get("/broken", dependencies=[guard])
async def broken():
    raise KeyError("a detail")

@app.get("/quick", dependencies=[guard])
async def quick(): ...
""",
    )
    assert time.monotonic() - began < 10
    assert answers.unanswered == ("GET /stream", "GET /slow")
    statuses = [asked.anonymous.status for asked in answers.guarded if asked.anonymous is not None]
    assert statuses == [500, 200]


LIFESPAN = """
from contextlib import asynccontextmanager
from fastapi import FastAPI, Depends, Request
from fastapi.security import HTTPBearer

@asynccontextmanager
async def lifespan(app):
    {0}

app = FastAPI(lifespan=lifespan)

guard = HTTPBearer()
app.dependency_overrides[guard] = lambda: None

@app.get("/", dependencies=[Depends(guard)])
def home(request: Request):
    return request.state.database
"""


@pytest.mark.parametrize(
    ("start", "said"),
    [
        ("raise OSError('no database at 10.0.0.1'); yield", "OSError: no database at 10.0.0.1"),
        ("raise SystemExit('shop: set SHOP_URL'); yield", "SystemExit: shop: set SHOP_URL"),
    ],
)
def test_an_app_that_does_not_start_is_said_to_and_why(
    check_file: Check, tmp_path: Path, start: str, said: str
) -> None:
    with pytest.raises(CheckError, match=r"the app did not start, so it could not be asked") as raised:
        probed(check_file, tmp_path, LIFESPAN.format(start))
    assert said in str(raised.value)


def test_an_app_that_starts_too_slowly_is_said_to(
    check_file: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("watchword.check.asgi._LONGEST_START", 0.2)
    with pytest.raises(CheckError, match="did not start within"):
        probed(check_file, tmp_path, LIFESPAN.format("import asyncio; await asyncio.sleep(60); yield"))


def test_the_lifespan_surrounds_the_requests(check_file: Check, tmp_path: Path) -> None:
    stopped = tmp_path / "stopped"
    answers, _ = probed(
        check_file, tmp_path, LIFESPAN.format(f"yield {{'database': 'open'}}; open({str(stopped)!r}, 'w').close()")
    )
    assert [asked.anonymous.text for asked in answers.guarded if asked.anonymous is not None] == ['"open"']
    assert stopped.exists()


def test_a_host_that_the_app_answers_to_is_used(check_text: Check) -> None:
    report = check_text(
        """
from fastapi import FastAPI
from starlette.middleware.trustedhost import TrustedHostMiddleware
from fastapi import Depends, Header, HTTPException

app = FastAPI()
app.add_middleware(TrustedHostMiddleware, allowed_hosts=["*.shop.example", "shop.example"])

NEVER_SET = ""

def key(x_api_key: str = Header("")):
    if x_api_key != NEVER_SET:
        raise HTTPException(401)

@app.get("/a", dependencies=[Depends(key)])
def a(): ...

@app.get("/b", dependencies=[Depends(key)])
def b(): ...
""",
        WW501,
    )
    assert [(finding.message, finding.location.line) for finding in report.findings] == [
        ("GET /a (and 1 more) answers 200 to a call without credentials, though key guards it", 11)
    ]


def test_a_token_is_put_where_the_route_looks_for_it(check_text: Check) -> None:
    report = check_text(
        """
from fastapi import Cookie, Depends, FastAPI, HTTPException
from fastapi.security import APIKeyCookie, APIKeyHeader, APIKeyQuery

app = FastAPI()

def by_header(key: str = Depends(APIKeyHeader(name="X-Key"))): ...
def by_cookie(key: str = Depends(APIKeyCookie(name="key"))): ...
def by_query(key: str = Depends(APIKeyQuery(name="k"))): ...

@app.get("/header")
def header(_=Depends(by_header)): ...
@app.get("/cookie")
def cookie(_=Depends(by_cookie)): ...
@app.get("/query")
def query(_=Depends(by_query)): ...
""",
        WW502,
    )
    assert [finding.message for finding in report.findings] == [
        f"GET /{where} answers 200 to a made-up string as its token, and 401 without a token"
        for where in ("header", "cookie", "query")
    ]


@pytest.mark.parametrize(
    ("answer", "is_found"),
    [
        ("User not found", True),
        ("No such user", True),
        ("Incorrect username", True),
        ("This email does not exist", True),
        ("email_not_found", True),
        ("Incorrect username or password", False),
        ("Invalid credentials", False),
        ("No account with this email and password", False),
        ("Not Found", False),
        ("Please verify your email", False),
    ],
)
def test_words_that_tell_users_apart(check_text: Check, answer: str, is_found: bool) -> None:
    report = check_text(WW505.bad.replace("User not found", answer), WW505)
    assert [finding.location.line for finding in report.findings] == ([11] if is_found else [])
