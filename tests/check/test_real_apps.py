"""What real applications do that small ones do not, each as the shortest app that does it."""

import ast
import inspect
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.check.conftest import Check, Package
from watchword.check.access import Access, Protection
from watchword.check.checking import Report
from watchword.check.load import load
from watchword.check.model import Certainty, Found, Rule
from watchword.check.rules import RULES, ww203_jwt_decode_without_algorithms
from watchword.check.sources import Sources
from watchword.check.subject import Subject


def test_a_namespace_package_whose_other_folder_holds_the_environment_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outer, inner = tmp_path, tmp_path / "maps" / "lib" / "site-packages"
    (inner / "maps" / "web").mkdir(parents=True)
    (inner / "maps" / "web" / "main.py").write_text("from fastapi import FastAPI\n\napp = FastAPI()\n")
    monkeypatch.syspath_prepend(str(inner))
    monkeypatch.syspath_prepend(str(outer))
    sources = Sources.of(load("maps.web.main:app").module)
    assert [source.module for source in sources.own] == ["maps.web.main"]


def test_files_that_only_functions_import_are_read_too(package: Package) -> None:
    package(
        "late_shop",
        main="from fastapi import FastAPI\n\napp = FastAPI()\n\n\n"
        "def start():\n    try:\n        from late_shop import tokens\n    except ImportError:\n        pass\n",
        tokens="SECRET = 1\n",
    )
    sources = Sources.of(load("late_shop.main:app").module)
    assert [source.module for source in sources.own] == ["late_shop", "late_shop.main", "late_shop.tokens"]


HEAD = """
import jwt
from fastapi import Cookie, Depends, FastAPI, Header, HTTPException, Request
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBearer
from starlette.middleware.base import BaseHTTPMiddleware

app = FastAPI()
bearer = HTTPBearer(auto_error=False)


def read(token):
    return jwt.decode(token, "k" * 32, algorithms=["HS256"])

"""
LETS_ANYBODY_IN = {
    "a middleware that renews the cookie it finds": """
class Renewing(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        found = request.cookies.get("token")
        renewed = None
        if found is not None:
            try:
                renewed = read(found)
                if renewed is None:
                    return JSONResponse({}, status_code=401)
            except HTTPException:
                renewed = ""
        response = await call_next(request)
        if renewed is not None:
            response.set_cookie("token", str(renewed))
        return response

app.add_middleware(Renewing)
""",
    "a middleware for the tokens of machines, which leaves people to the next one": """
class Machines(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        if request.state.auth_user is not None:
            return await call_next(request)
        header = request.headers.get("authorization")
        is_machine = header and header.startswith("Bearer machine_")
        if not is_machine:
            return await call_next(request)
        if read(header) is None:
            return JSONResponse({}, status_code=401)
        return await call_next(request)

app.add_middleware(Machines)
""",
    "a middleware that believes a proxy's header, if there is one": """
def user_of(request, config):
    if config.header not in request.headers:
        return None
    return request.headers[config.header]

class Identifying(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        if not self.config.enabled:
            return await call_next(request)
        user = user_of(request, self.config)
        if request.state.auth_user is not None:
            return await call_next(request)
        if user is not None:
            try:
                await self.save(user)
            except TimeoutError:
                return JSONResponse({}, status_code=503)
            except PermissionError:
                return JSONResponse({}, status_code=403)
            failed = await self.roles(user)
            if failed is not None:
                return failed
            request.state.auth_user = user
        return await call_next(request)

app.add_middleware(Identifying)
""",
}
ASKS_EVERYBODY = {
    "a middleware that lets pass what needs no login": """
class Asking(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        if request.url.path == "/health":
            return await call_next(request)
        header = request.headers.get("authorization")
        if not header:
            return JSONResponse({}, status_code=401)
        return await call_next(request)

app.add_middleware(Asking)
""",
    "a middleware that can be switched off": """
class Asking(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        if not app.state.login_needed:
            return await call_next(request)
        if request.headers.get("authorization") != "Bearer k":
            return JSONResponse({}, status_code=401)
        return await call_next(request)

app.add_middleware(Asking)
""",
}
OPTIONAL = """
def someone(found=Depends(bearer)):
    if not found:
        return None
    try:
        return read(found.credentials)
    except jwt.InvalidTokenError:
        raise HTTPException(401)
"""
OPTIONAL_COOKIE = """
async def someone(session_token: str | None = Cookie(None), authorization: str | None = Header(None)):
    if authorization is not None:
        session_token = authorization.removeprefix("Bearer ")
    if session_token is None:
        return None
    if not read(session_token):
        raise HTTPException(status_code=403)
    return session_token
"""
OF_KNOWN_ONES = """
class User:
    may_write = False


def someone(request: Request):
    if not request.app.state.has_logins or request.method == "GET":
        return
    user = getattr(request, "user", None)
    if isinstance(user, User) and not user.may_write:
        raise HTTPException(status_code=403)
"""
NEEDED = """
def someone(request: Request, found=Depends(bearer)):
    user = None
    if found:
        user = read(found.credentials)
    if user is None:
        raise HTTPException(401)
    return user
"""
BY_A_CALL = """
def someone(found=Depends(bearer)):
    user = check_it(found)
    return user


def check_it(found):
    if found is None:
        raise HTTPException(401)
    return read(found.credentials)
"""
ROUTE = "\n@app.get('/things')\ndef things(): ...\n"
FOR_SOMEONE = "\n@app.get('/things')\ndef things(user=Depends(someone)): ...\n"


def _access(report: Report, path: str = "/things") -> Access:
    return _protection(report, path).access


def _protection(report: Report, path: str) -> Protection:
    subject = report.subject
    return next(subject.protection(route) for route in subject.routes if route.path == path)


@pytest.mark.parametrize("middleware", LETS_ANYBODY_IN.values(), ids=LETS_ANYBODY_IN)
def test_a_middleware_that_lets_in_who_shows_nothing_is_no_guard(middleware: str, check_text: Check) -> None:
    assert _access(check_text(HEAD + middleware + ROUTE)) is Access.PUBLIC


@pytest.mark.parametrize("middleware", ASKS_EVERYBODY.values(), ids=ASKS_EVERYBODY)
def test_a_middleware_that_refuses_who_shows_nothing_is_a_guard(middleware: str, check_text: Check) -> None:
    assert _access(check_text(HEAD + middleware + ROUTE)) is Access.AUTHENTICATED


@pytest.mark.parametrize("dependency", [OPTIONAL, OPTIONAL_COOKIE, OF_KNOWN_ONES])
def test_a_user_who_is_optional_guards_nothing(dependency: str, check_text: Check) -> None:
    assert _access(check_text(HEAD + dependency + FOR_SOMEONE)) is Access.PUBLIC


@pytest.mark.parametrize("dependency", [NEEDED, BY_A_CALL])
def test_a_user_who_is_needed_guards_though_the_scheme_does_not(dependency: str, check_text: Check) -> None:
    assert _access(check_text(HEAD + dependency + FOR_SOMEONE)) is Access.AUTHENTICATED


def test_a_rule_that_raises_is_named_and_the_others_are_applied(check_text: Check) -> None:
    def raising(_: Subject) -> Iterator[Found]:
        raise KeyError("s3cret")

    broken = replace(ww203_jwt_decode_without_algorithms.RULE, id="WW999", check=raising)
    report = check_text(ww203_jwt_decode_without_algorithms.RULE.bad, broken, ww203_jwt_decode_without_algorithms.RULE)
    assert [finding.rule.id for finding in report.findings] == ["WW203"]
    (crash,) = report.crashes
    assert str(crash).startswith(
        "WW999 could not be applied, which is a bug of watchword check: KeyError in test_real_"
    )
    assert "s3cret" not in str(crash)


CIRCLES = """
from fastapi import FastAPI

app = FastAPI()


def cached(function):
    return cached(function)


def settings():
    return settings()


def key():
    return settings().key.value + cached(key).other
"""


def test_functions_that_return_a_call_of_themselves_are_followed_no_further(check_text: Check) -> None:
    report = check_text(CIRCLES)
    sources = report.subject.sources
    for node in sources.all(ast.Attribute):
        assert sources.resolve(node) is not None
    assert report.crashes == ()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_no_rule_needs_what_an_app_may_not_have_installed(rule: Rule) -> None:
    allowed = {
        "__future__",
        "fastapi",
        "pydantic",
        "starlette",
        "typing_extensions",
        "watchword",
        *sys.stdlib_module_names,
    }
    tree = ast.parse(inspect.getsource(sys.modules[rule.check.__module__]))
    imported = {
        name.partition(".")[0]
        for node in tree.body
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported <= allowed
    assert (
        "starlette.middleware.sessions" not in inspect.getsource(sys.modules[rule.check.__module__]).split("RULE = ")[0]
    )


BY_AN_INSTANCE = """
class Checker:
    def key_of(self, request):
        if not request.headers.get("x-api-key"):
            raise HTTPException(401)


class KeyChecker(Checker):
    def __init__(self, kind):
        self.kind = kind

    async def __call__(self, request):
        return self.key_of(request)


async def someone(request: Request):
    check: KeyChecker = KeyChecker("admin")
    return await check(request)
"""


def test_a_guard_that_calls_an_instance_whose_base_refuses_is_one(check_text: Check) -> None:
    assert _access(check_text(HEAD + BY_AN_INSTANCE + FOR_SOMEONE)) is Access.AUTHENTICATED


NOBODY = """
class AlwaysForbidden:
    \"""For what is switched off.\"""

    async def __call__(self):
        raise HTTPException(403)


someone = AlwaysForbidden()
"""
BY_A_HELPER = """
def auth_header_of(headers):
    return headers.get("x-proxied-authorization") or headers.get("authorization")


class Knowing(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        token = None
        if request.cookies:
            token = request.cookies.get("jwt_token")
        if not token:
            header = auth_header_of(request.headers)
            if header:
                token = header.removeprefix("Bearer ")
        if not token:
            return await call_next(request)
        try:
            request.state.user = read(token)
        except jwt.InvalidTokenError:
            return JSONResponse({}, status_code=401)
        return await call_next(request)

app.add_middleware(Knowing)
"""
SOME_PATHS_ONLY = """
class Documents(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        protected = ["/docs", "/openapi.json"]
        scope_path = request.scope.get("path", "")
        is_protected = any(scope_path.startswith(path) for path in protected)
        if is_protected:
            if request.headers.get("authorization") != "Bearer k":
                return JSONResponse({}, status_code=401)
        return await call_next(request)

app.add_middleware(Documents)
"""


def test_a_dependency_that_refuses_everybody_guards(check_text: Check) -> None:
    assert _access(check_text(HEAD + NOBODY + FOR_SOMEONE)) is Access.AUTHENTICATED


@pytest.mark.parametrize("middleware", [BY_A_HELPER, SOME_PATHS_ONLY])
def test_a_middleware_guards_no_route_that_it_lets_anybody_reach(middleware: str, check_text: Check) -> None:
    report = check_text(HEAD + middleware + ROUTE)
    assert _access(report) is Access.PUBLIC


BY_A_METHOD_THAT_READS = """
class Scoping(BaseHTTPMiddleware):
    async def claims_of(self, request):
        header = request.headers.get("authorization")
        if not header:
            return None
        try:
            return read(header.removeprefix("Bearer "))
        except jwt.InvalidTokenError:
            raise HTTPException(401)

    async def dispatch(self, request, call_next):
        claims = await self.claims_of(request)
        if not claims:
            return await call_next(request)
        if "things" not in claims["scopes"]:
            return JSONResponse({}, status_code=403)
        return await call_next(request)

app.add_middleware(Scoping)
"""
OF_ADMINS_ONLY = """
class Admins(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        asked_path = request.scope.get("path", request.url.path)
        is_admin_route = asked_path.startswith("/admin") or asked_path.startswith("/v1/admin")
        if not is_admin_route:
            return await call_next(request)
        if request.cookies.get("jwt_token") != "k":
            return JSONResponse({}, status_code=401)
        return await call_next(request)

app.add_middleware(Admins)
"""


@pytest.mark.parametrize("middleware", [BY_A_METHOD_THAT_READS, OF_ADMINS_ONLY])
def test_a_middleware_guards_nothing_for_those_it_does_not_ask(middleware: str, check_text: Check) -> None:
    assert _access(check_text(HEAD + middleware + ROUTE)) is Access.PUBLIC


def test_a_middleware_for_admins_guards_their_routes(check_text: Check) -> None:
    report = check_text(HEAD + OF_ADMINS_ONLY + "\n@app.get('/admin/users')\ndef users(): ...\n")
    subject = report.subject
    route = next(route for route in subject.routes if route.path == "/admin/users")
    assert subject.protection(route).access is Access.AUTHENTICATED


BY_A_SERVICE = """
import importlib


def service():
    return importlib.import_module("auth_service").get()


async def api_key_security(key=Depends(bearer)):
    return await service().api_key_security(key)


someone = api_key_security
"""


def test_a_guard_whose_work_is_done_where_it_cannot_be_read_may_be_one(check_text: Check) -> None:
    report = check_text(HEAD + BY_A_SERVICE + FOR_SOMEONE)
    subject = report.subject
    route = next(route for route in subject.routes if route.path == "/things")
    assert [guard.certainty for guard in subject.protection(route).guards] == [Certainty.POSSIBLE]


BY_ANOTHER_SERVER = """
class SingleSignOn(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        base = app.state.sign_on.rstrip("/")
        if request.url.path.startswith("/sign-on"):
            return JSONResponse({"to": f"{base}/{request.url.path.lstrip('/')}"})
        if request.cookies.get("session") is None:
            return JSONResponse({}, status_code=401)
        return await call_next(request)

app.add_middleware(SingleSignOn)


@app.get("/")
def index(): ...
"""


def test_a_slash_that_is_cut_off_an_address_is_no_path_that_a_middleware_lets_pass(check_text: Check) -> None:
    assert _access(check_text(HEAD + BY_ANOTHER_SERVER), "/") is Access.AUTHENTICATED


LOGIN_BY_MANY_GRANTS = """
from fastapi import Form


@app.post("/api/v1/login")
def login(request: Request, grant_type: str = Form(), username: str = Form(""), password: str = Form("")):
    if grant_type == "password":
        return {"access_token": username + password}
    header = request.headers.get("Authorization")
    if header is None:
        raise HTTPException(401)
    return {"access_token": read(header)}
"""


def test_a_login_that_also_takes_another_token_is_public(check_text: Check) -> None:
    assert _access(check_text(HEAD + LOGIN_BY_MANY_GRANTS), "/api/v1/login") is Access.PUBLIC


HEALTH = """
@app.get("/things")
def things(request: Request):
    user = request.state.auth_user
    if getattr(request.state, "anonymous_user", False):
        version = request.headers.get("X-Version")
        if version is not None and int(version) < 14:
            raise HTTPException(401)
    return {"user": user, "version": str(app.version)}
"""


def test_a_handler_that_refuses_some_and_answers_who_shows_nothing_is_public(check_text: Check) -> None:
    assert _access(check_text(HEAD + HEALTH)) is Access.PUBLIC
