"""Who may use a route, over every way to guard one that real apps have."""

import pytest

from tests.check.conftest import Check
from watchword.check.baseline import Baseline
from watchword.check.model import Certainty
from watchword.check.rules import RULES

IMPORTS = """\
from functools import partial, wraps
from typing import Annotated, Any

import jwt
from fastapi import (
    APIRouter, Cookie, Depends, FastAPI, Header, HTTPException, Query, Request, Response, Security, WebSocket, status
)
from fastapi.responses import JSONResponse, RedirectResponse
from fastapi.routing import APIRoute
from fastapi.security import (
    APIKeyCookie, APIKeyHeader, APIKeyQuery, HTTPAuthorizationCredentials, HTTPBasic, HTTPBearer,
    OAuth2PasswordBearer, SecurityScopes
)
from starlette.authentication import requires
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import HTTPConnection
"""

GUARDS = {
    "a security scheme refuses by itself": """
bearer = OAuth2PasswordBearer(tokenUrl="token")
app = FastAPI()

@app.get("/")
def index(token: Annotated[str, Depends(bearer)]): ...
""",
    "a scheme as a dependency of the decorator": """
app = FastAPI()

@app.get("/", dependencies=[Security(HTTPBasic())])
def index(): ...
""",
    "deep in a tree": """
key = APIKeyHeader(name="X-Key")
def user(key: str = Depends(key)): return key
def active(user=Depends(user)): return user
class Page:
    def __init__(self, active=Depends(active), size: int = 10): ...
app = FastAPI()

@app.get("/")
def index(page: Page = Depends()): ...
""",
    "optional scheme, and a dependency that refuses": """
bearer = HTTPBearer(auto_error=False)
async def user(credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]):
    if credentials is None:
        raise HTTPException(status_code=status.HTTP_401_UNAUTHORIZED)
    return credentials
app = FastAPI()

@app.get("/")
def index(user: Annotated[object, Depends(user)]): ...
""",
    "optional user, and one around it that refuses": """
bearer = OAuth2PasswordBearer(tokenUrl="token", auto_error=False)
def maybe(token: str | None = Depends(bearer)):
    return token
def surely(user: str | None = Depends(maybe)):
    if not user:
        raise HTTPException(401)
app = FastAPI()

@app.get("/", dependencies=[Depends(surely)])
def index(): ...
""",
    "the exception stands in a variable": """
denied = HTTPException(status_code=401, detail="no", headers={"WWW-Authenticate": "Bearer"})
def user(request: Request):
    token = request.headers.get("Authorization")
    if token is None:
        raise denied
app = FastAPI()

@app.get("/")
def index(user=Depends(user)): ...
""",
    "an exception of the app's own": """
class NotAuthenticatedError(Exception): ...
def user(authorization: Annotated[str | None, Header()] = None):
    if authorization is None:
        raise NotAuthenticatedError
app = FastAPI()

@app.get("/", dependencies=[Depends(user)])
def index(): ...
""",
    "an exception of the app's own whose base says the status": """
class Problem(HTTPException):
    def __init__(self): super().__init__(status_code=401)
def user(authorization: Annotated[str | None, Header()] = None):
    if authorization is None:
        raise Problem()
app = FastAPI()

@app.get("/", dependencies=[Depends(user)])
def index(): ...
""",
    "a header with an alias": """
def key(key: str = Header(alias="X-API-Key")):
    if key != "k":
        raise HTTPException(403)
app = FastAPI()

@app.get("/", dependencies=[Depends(key)])
def index(): ...
""",
    "a header in Annotated": """
def key(x_token: Annotated[str, Header()]):
    if x_token != "k":
        raise HTTPException(status_code=400, detail="X-Token header invalid")
app = FastAPI(dependencies=[Depends(key)])

@app.get("/")
def index(): ...
""",
    "a cookie parameter": """
def user(session_id: Annotated[str | None, Cookie()] = None):
    if session_id is None:
        raise HTTPException(status_code=401)
app = FastAPI()

@app.get("/")
def index(user=Depends(user)): ...
""",
    "a cookie read from the request": """
async def user(request: Request):
    if (token := request.cookies.get("access_token")) is None:
        raise HTTPException(status_code=401)
app = FastAPI()

@app.get("/")
def index(user=Depends(user)): ...
""",
    "request.session": """
def user(request: Request):
    user = request.session.get("user")
    if not user:
        raise HTTPException(status_code=401)
    return user
app = FastAPI()

@app.get("/")
def index(user=Depends(user)): ...
""",
    "people who are sent to the login page": """
async def user(request: Request):
    if "user" not in request.session:
        raise HTTPException(status_code=303, headers={"Location": "/login"})
app = FastAPI()

@app.get("/")
def index(user=Depends(user)): ...
""",
    "the handler reads the header and refuses": """
app = FastAPI()

@app.post("/")
async def index(request: Request):
    if request.headers.get("X-API-Key") != "k":
        raise HTTPException(status_code=403)
""",
    "the handler calls a helper": """
def check(request: Request):
    token = request.headers["authorization"]
    try:
        jwt.decode(token, "k", algorithms=["HS256"])
    except jwt.PyJWTError:
        raise HTTPException(401)
app = FastAPI()

@app.post("/")
async def index(request: Request):
    check(request)
""",
    "the handler refuses whom an optional dependency let through": """
bearer = HTTPBearer(auto_error=False)
app = FastAPI()

@app.post("/")
async def index(token: Annotated[object, Depends(bearer)]):
    if not token:
        return JSONResponse({"detail": "no"}, status_code=401)
""",
    "a partial": """
bearer = HTTPBearer(auto_error=False)
def needs(kind: str, token=Depends(bearer)):
    if token is None:
        raise HTTPException(401)
app = FastAPI()

@app.get("/", dependencies=[Depends(partial(needs, "a"))])
def index(): ...
""",
    "a method of an instance": """
class Auth:
    def __init__(self, key): self.key = key
    def verify(self, token: str): return jwt.decode(token, self.key, algorithms=["HS256"])
    async def user(self, request: Request):
        token = request.headers.get("authorization")
        if not token:
            self.refuse()
        return self.verify(token)
    def refuse(self):
        raise HTTPException(status_code=401)
auth = Auth("k")
app = FastAPI()

@app.get("/", dependencies=[Depends(auth.user)])
def index(): ...
""",
    "a class method and a static method": """
class Auth:
    @staticmethod
    def token(request: Request): return request.headers.get("authorization")
    @classmethod
    def user(cls, request: Request):
        if cls.token(request) is None:
            raise HTTPException(status_code=401)
app = FastAPI()

@app.get("/", dependencies=[Depends(Auth.user)])
def index(): ...
""",
    "an instance with __call__": """
class Auth:
    def __call__(self, request: Request):
        if "authorization" not in request.headers:
            raise HTTPException(status_code=401)
app = FastAPI()

@app.get("/", dependencies=[Depends(Auth())])
def index(): ...
""",
    "an own kind of HTTPBearer": """
class JWTBearer(HTTPBearer):
    def __init__(self, auto_error: bool = True):
        super().__init__(auto_error=auto_error)
    async def __call__(self, request: Request):
        credentials = await super().__call__(request)
        if not credentials or not self.verify(credentials.credentials):
            raise HTTPException(status_code=403, detail="Invalid")
        return credentials.credentials
    def verify(self, token): return jwt.decode(token, "k", algorithms=["HS256"])
app = FastAPI()

@app.get("/", dependencies=[Depends(JWTBearer())])
def index(): ...
""",
    "an own scheme that takes the token from a cookie": """
from fastapi.security import OAuth2
class Bearer(OAuth2):
    async def __call__(self, request: Request):
        token = request.cookies.get("access_token")
        if not token:
            if self.auto_error:
                raise HTTPException(status_code=401)
            return None
        return token
app = FastAPI()

@app.get("/")
def index(token=Depends(Bearer())): ...
""",
    "a class whose constructor refuses": """
class Caller:
    def __init__(self, request: Request):
        if request.headers.get("authorization") is None:
            raise HTTPException(401)
app = FastAPI()

@app.get("/")
def index(caller: Caller = Depends()): ...
""",
    "the connection is called something else": """
def user(connection: HTTPConnection):
    if connection.headers.get("Authorization") is None:
        raise HTTPException(401)
app = FastAPI()

@app.get("/")
def index(user=Depends(user)): ...
""",
    "a dependency that yields": """
async def user(token: str = Header()):
    if token != "k":
        raise HTTPException(401)
    yield token
app = FastAPI()

@app.get("/")
def index(user=Depends(user)): ...
""",
    "on the app": """
app = FastAPI(dependencies=[Depends(HTTPBearer())])

@app.get("/")
def index(): ...
""",
    "on a router in a router": """
inner = APIRouter()

@inner.get("/")
def index(): ...

outer = APIRouter(dependencies=[Depends(HTTPBearer())])
outer.include_router(inner, prefix="/inner")
app = FastAPI()
app.include_router(outer)
""",
    "where the router is included": """
router = APIRouter()

@router.get("/")
def index(): ...

app = FastAPI()
app.include_router(router, dependencies=[Depends(HTTPBearer())])
""",
    "a middleware as a class": """
class AuthMiddleware(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        if request.headers.get("Authorization") is None:
            return JSONResponse(status_code=401, content={"detail": "no"})
        return await call_next(request)
app = FastAPI()
app.add_middleware(AuthMiddleware)

@app.get("/")
def index(): ...
""",
    "a middleware in ASGI": """
class AuthMiddleware:
    def __init__(self, app): self.app = app
    async def __call__(self, scope, receive, send):
        headers = dict(scope["headers"])
        if b"authorization" not in headers:
            await Response(status_code=401)(scope, receive, send)
            return
        await self.app(scope, receive, send)
app = FastAPI()
app.add_middleware(AuthMiddleware)

@app.get("/")
def index(): ...
""",
    "a middleware as a function": """
app = FastAPI()

@app.middleware("http")
async def authenticate(request: Request, call_next):
    token = request.headers.get("authorization", "")
    try:
        jwt.decode(token, "k", algorithms=["HS256"])
    except jwt.InvalidTokenError:
        return JSONResponse({"detail": "no"}, 401)
    return await call_next(request)

@app.get("/")
def index(): ...
""",
    "a route class": """
class Authenticated(APIRoute):
    def get_route_handler(self):
        original = super().get_route_handler()
        async def handler(request: Request):
            if "authorization" not in request.headers:
                raise HTTPException(401)
            return await original(request)
        return handler
router = APIRouter(route_class=Authenticated)

@router.get("/")
def index(): ...

app = FastAPI()
app.include_router(router)
""",
    "a decorator of the app's own": """
def authenticated(function):
    @wraps(function)
    async def wrapper(*args, request: Request, **kwargs):
        if request.headers.get("authorization") is None:
            raise HTTPException(401)
        return await function(*args, request=request, **kwargs)
    return wrapper
app = FastAPI()

@app.get("/")
@authenticated
async def index(request: Request): ...
""",
    "fastapi-users": """
from fastapi_users import FastAPIUsers
from fastapi_users.authentication import AuthenticationBackend, BearerTransport, JWTStrategy
backend = AuthenticationBackend(
    name="jwt", transport=BearerTransport(tokenUrl="login"), get_strategy=lambda: JWTStrategy("k" * 32, 60)
)
def get_user_manager(): ...
users = FastAPIUsers(get_user_manager, [backend])
app = FastAPI()

@app.get("/")
def index(user=Depends(users.current_user(active=True))): ...
""",
    "AuthX": """
from authx import AuthX, AuthXConfig
auth = AuthX(config=AuthXConfig(JWT_SECRET_KEY="k" * 32, JWT_TOKEN_LOCATION=["headers"]))
app = FastAPI()

@app.get("/", dependencies=[Depends(auth.access_token_required)])
def index(): ...
""",
    "Watchword": """
from watchword import CurrentUser
app = FastAPI()

@app.get("/")
def index(user: CurrentUser): ...
""",
    "a signature that is checked": """
import hmac
async def signed(request: Request):
    given = request.headers.get("X-Hub-Signature-256", "")
    if not hmac.compare_digest(given, "s"):
        raise HTTPException(403)
app = FastAPI()

@app.get("/", dependencies=[Depends(signed)])
def index(): ...
""",
    "the request is passed on to a service that is injected": """
class Service:
    def user(self, request: Request):
        token = request.headers.get("authorization")
        if token is None:
            raise HTTPException(401)
        return token
def user(request: Request, service: Annotated[Service, Depends()]):
    return service.user(request)
app = FastAPI()

@app.get("/")
def index(user=Depends(user)): ...
""",
    "a handler that is a class's method": """
class Api:
    def __init__(self):
        self.router = APIRouter()
        self.router.add_api_route("/", self.index)
    def user(self, request):
        if not request.session.get("user"):
            raise HTTPException(401)
    def index(self, request: Request):
        self.user(request)
app = FastAPI()
app.include_router(Api().router)
""",
}

OPEN = {
    "nothing at all": """
app = FastAPI()

@app.get("/")
def index(page: int = 1): ...
""",
    "an optional scheme": """
app = FastAPI()

@app.get("/")
def index(token: str | None = Depends(OAuth2PasswordBearer(tokenUrl="token", auto_error=False))): ...
""",
    "an optional user": """
bearer = HTTPBearer(auto_error=False)
def user(token=Depends(bearer)):
    return None if token is None else token.credentials
app = FastAPI()

@app.get("/")
def index(user=Depends(user)): ...
""",
    "an optional user of fastapi-users": """
from fastapi_users import FastAPIUsers
from fastapi_users.authentication import AuthenticationBackend, BearerTransport, JWTStrategy
backend = AuthenticationBackend(
    name="jwt", transport=BearerTransport(tokenUrl="login"), get_strategy=lambda: JWTStrategy("k" * 32, 60)
)
def get_user_manager(): ...
users = FastAPIUsers(get_user_manager, [backend])
app = FastAPI()

@app.get("/")
def index(user=Depends(users.current_user(optional=True))): ...
""",
    "a header that is no credential": """
def language(accept_language: Annotated[str | None, Header()] = None):
    if accept_language == "xx":
        raise HTTPException(400)
app = FastAPI()

@app.get("/", dependencies=[Depends(language)])
def index(): ...
""",
    "a refusal without a credential": """
app = FastAPI()

@app.get("/")
def index(day: int):
    if day == 6:
        raise HTTPException(403, "closed on Saturdays")
""",
    "a login": """
app = FastAPI()

@app.post("/")
def index(username: str, password: str):
    if password != "k":
        raise HTTPException(401)
    return {"access_token": username}
""",
    "a database session is no login": """
def get_db(): ...
app = FastAPI()

@app.get("/")
def index(session=Depends(get_db)):
    item = session.get("item")
    if item is None:
        raise HTTPException(404)
""",
    "a cookie that only remembers": """
app = FastAPI()

@app.get("/")
def index(request: Request, response: Response):
    theme = request.cookies.get("theme", "dark")
    return theme
""",
    "a middleware that only looks": """
app = FastAPI()

@app.middleware("http")
async def log(request: Request, call_next):
    print(request.headers.get("authorization"))
    return await call_next(request)

@app.get("/")
def index(): ...
""",
    "a rate limit by cookie": """
app = FastAPI()

@app.middleware("http")
async def limit(request: Request, call_next):
    if len(request.cookies.get("visitor", "")) > 99:
        return JSONResponse({}, status_code=429)
    return await call_next(request)

@app.get("/")
def index(): ...
""",
}


def said(check_text: Check, text: str) -> dict[str, str]:
    return dict(Baseline.of(check_text(IMPORTS + text, RULES[0]).subject).routes)


@pytest.mark.parametrize("text", GUARDS.values(), ids=GUARDS.keys())
def test_it_guards(text: str, check_text: Check) -> None:
    assert set(said(check_text, text).values()) == {"authenticated"}


@pytest.mark.parametrize("text", OPEN.values(), ids=OPEN.keys())
def test_it_lets_everybody_in(text: str, check_text: Check) -> None:
    assert set(said(check_text, text).values()) == {"public"}


MIXED = {
    "scopes of Security are added up from the outside in": (
        """
bearer = OAuth2PasswordBearer(tokenUrl="token", scopes={"me": "", "items": ""})
def user(scopes: SecurityScopes, token: str = Depends(bearer)):
    if not set(scopes.scopes) <= {"me"}:
        raise HTTPException(403)
def active(user=Security(user, scopes=["me"])): ...
app = FastAPI()

@app.get("/me")
def me(user=Depends(active)): ...

@app.get("/items", dependencies=[Security(active, scopes=["items"])])
def items(): ...
""",
        {"GET /me": "me", "GET /items": "items me"},
    ),
    "a class that checks roles": (
        """
class RoleChecker:
    def __init__(self, allowed_roles: list[str]): self.allowed_roles = allowed_roles
    def __call__(self, token: str = Depends(OAuth2PasswordBearer(tokenUrl="token"))):
        if token not in self.allowed_roles:
            raise HTTPException(status_code=403)
app = FastAPI()

@app.get("/", dependencies=[Depends(RoleChecker(["admin", "editor"]))])
def index(): ...
""",
        {"GET /": "admin editor"},
    ),
    "a function that makes a guard for a permission": (
        """
def require(permission: str):
    def check(request: Request):
        if permission not in request.session.get("permissions", []):
            raise HTTPException(403)
    return check
app = FastAPI()

@app.get("/", dependencies=[Depends(require("orders:read"))])
def index(): ...
""",
        {"GET /": "orders:read"},
    ),
    "a partial that names a role": (
        """
def needs(role: str, token=Depends(HTTPBearer())):
    if token.credentials != role:
        raise HTTPException(403)
app = FastAPI()

@app.get("/", dependencies=[Depends(partial(needs, role="admin"))])
def index(): ...
""",
        {"GET /": "admin"},
    ),
    "superusers of fastapi-users": (
        """
from fastapi_users import FastAPIUsers
from fastapi_users.authentication import AuthenticationBackend, CookieTransport, JWTStrategy
backend = AuthenticationBackend(
    name="jwt", transport=CookieTransport(), get_strategy=lambda: JWTStrategy("k" * 32, 60)
)
def get_user_manager(): ...
users = FastAPIUsers(get_user_manager, [backend])
app = FastAPI()

@app.get("/", dependencies=[Depends(users.current_user(active=True, superuser=True))])
def index(): ...
""",
        {"GET /": "superuser"},
    ),
    "scopes of AuthX": (
        """
from authx import AuthX, AuthXConfig
auth = AuthX(config=AuthXConfig(JWT_SECRET_KEY="k" * 32, JWT_TOKEN_LOCATION=["headers"]))
app = FastAPI()

@app.get("/", dependencies=[Depends(auth.scopes_required("orders:read"))])
def index(): ...
""",
        {"GET /": "orders:read"},
    ),
    "Watchword with scopes": (
        """
from watchword import requires
app = FastAPI()

@app.get("/", dependencies=[requires("orders:read")])
def index(): ...
""",
        {"GET /": "orders:read"},
    ),
    "Starlette's requires": (
        """
app = FastAPI()

@app.get("/")
@requires(["authenticated", "admin"])
async def index(request: Request): ...

@app.get("/sync")
@requires("authenticated", redirect="login")
def sync(request: Request): ...
""",
        {"GET /": "admin authenticated", "GET /sync": "authenticated"},
    ),
    "a decorator that names a role": (
        """
def role_required(role):
    def decorator(function):
        @wraps(function)
        async def wrapper(request: Request):
            if request.session.get("role") != role:
                raise HTTPException(403)
            return await function(request)
        return wrapper
    return decorator
app = FastAPI()

@app.get("/")
@role_required("admin")
async def index(request: Request): ...
""",
        {"GET /": "admin"},
    ),
    "a middleware that lets some paths pass": (
        """
PUBLIC = ["/login", "/health"]
app = FastAPI()

@app.middleware("http")
async def authenticate(request: Request, call_next):
    if request.url.path in PUBLIC or request.url.path.startswith("/static"):
        return await call_next(request)
    if "authorization" not in request.headers:
        return JSONResponse({}, 401)
    return await call_next(request)

@app.post("/login")
def login(): ...

@app.get("/health")
def health(): ...

@app.get("/static/logo")
def logo(): ...

@app.get("/orders")
def orders(): ...
""",
        {
            "POST /login": "public",
            "GET /health": "public",
            "GET /static/logo": "public",
            "GET /orders": "authenticated",
        },
    ),
    "a middleware that guards some paths only": (
        """
app = FastAPI()

@app.middleware("http")
async def authenticate(request: Request, call_next):
    if request.url.path.startswith("/admin"):
        if request.cookies.get("session") is None:
            return RedirectResponse("/login")
    return await call_next(request)

@app.get("/admin/users")
def users(): ...

@app.get("/orders")
def orders(): ...
""",
        {"GET /admin/users": "authenticated", "GET /orders": "public"},
    ),
    "a middleware that passes on what is not its": (
        """
class ApiKeyMiddleware(BaseHTTPMiddleware):
    def __init__(self, app, prefix):
        super().__init__(app)
        self.prefix = prefix
    async def dispatch(self, request, call_next):
        if not request.url.path.startswith(self.prefix):
            return await call_next(request)
        if request.headers.get("x-api-key") != "k":
            return JSONResponse(status_code=403, content={})
        return await call_next(request)
app = FastAPI()
app.add_middleware(ApiKeyMiddleware, prefix="/api")

@app.get("/api/orders")
def orders(): ...

@app.get("/")
def index(): ...
""",
        {"GET /api/orders": "authenticated", "GET /": "public"},
    ),
    "a middleware that is told what to let pass": (
        """
class AuthMiddleware(BaseHTTPMiddleware):
    def __init__(self, app, public_paths):
        super().__init__(app)
        self.public_paths = public_paths
    async def dispatch(self, request, call_next):
        if self.is_public(request.url.path):
            return await call_next(request)
        if request.headers.get("authorization") is None:
            return JSONResponse(status_code=401, content={})
        return await call_next(request)
    def is_public(self, path):
        return path in self.public_paths
app = FastAPI()
app.add_middleware(AuthMiddleware, public_paths=["/about"])

@app.get("/about")
def about(): ...

@app.get("/orders")
def orders(): ...
""",
        {"GET /about": "public", "GET /orders": "authenticated"},
    ),
    "a middleware that only refuses forged forms": (
        """
class CSRFMiddleware(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        if request.cookies.get("form") != request.headers.get("x-csrf-token"):
            return JSONResponse(status_code=403, content={})
        return await call_next(request)
app = FastAPI()
app.add_middleware(CSRFMiddleware)

@app.post("/orders")
def orders(): ...
""",
        {"POST /orders": "public"},
    ),
    "a WebSocket whose dependency refuses": (
        """
from fastapi import WebSocketException
async def user(websocket: WebSocket, token: Annotated[str | None, Query()] = None):
    if token is None:
        raise WebSocketException(code=status.WS_1008_POLICY_VIOLATION)
app = FastAPI()

@app.websocket("/ws")
async def ws(websocket: WebSocket, user=Depends(user)): ...
""",
        {"WEBSOCKET /ws": "authenticated"},
    ),
    "a WebSocket whose handler closes it": (
        """
app = FastAPI()

@app.websocket("/ws")
async def ws(websocket: WebSocket):
    token = websocket.query_params.get("token")
    if token is None:
        await websocket.close(code=1008)
        return
    await websocket.accept()

@app.websocket("/ws/own")
async def own(websocket: WebSocket, token: str):
    await websocket.accept()
    if token != "k":
        await websocket.close(code=4401)

@app.websocket("/ws/message")
async def message(websocket: WebSocket):
    await websocket.accept()
    hello = await websocket.receive_json()
    if hello.get("token") != "k":
        await websocket.close()
        return

@app.websocket("/ws/open")
async def echo(websocket: WebSocket):
    await websocket.accept()
    while True:
        await websocket.send_text(await websocket.receive_text())
""",
        {
            "WEBSOCKET /ws": "authenticated",
            "WEBSOCKET /ws/own": "authenticated",
            "WEBSOCKET /ws/message": "authenticated",
            "WEBSOCKET /ws/open": "public",
        },
    ),
    "what is set by a middleware is asked for by a dependency": (
        """
app = FastAPI()

@app.middleware("http")
async def identify(request: Request, call_next):
    request.state.user = request.headers.get("authorization")
    return await call_next(request)

def user(request: Request):
    if getattr(request.state, "user", None) is None:
        raise HTTPException(401)

@app.get("/", dependencies=[Depends(user)])
def index(): ...

@app.get("/about")
def about(): ...
""",
        {"GET /": "authenticated", "GET /about": "public"},
    ),
    "a login and a logout that only write the session": (
        """
app = FastAPI()

@app.post("/login")
def login(request: Request, name: str):
    if name != "k":
        raise HTTPException(401)
    request.session["user"] = name

@app.post("/logout")
def logout(request: Request):
    request.session.clear()
    return RedirectResponse("/login", 303)
""",
        {"POST /login": "public", "POST /logout": "public"},
    ),
    "a service whose guard is not called": (
        """
class Users:
    def current(self, request: Request):
        if request.headers.get("authorization") is None:
            raise HTTPException(401)
    def all(self): ...
app = FastAPI()

@app.get("/")
def index(users: Annotated[Users, Depends()]):
    return users.all()

@app.get("/me")
def me(request: Request, users: Annotated[Users, Depends()]):
    return users.current(request)
""",
        {"GET /": "public", "GET /me": "authenticated"},
    ),
}


@pytest.mark.parametrize(("text", "expected"), MIXED.values(), ids=MIXED.keys())
def test_each_route_is_told_apart(text: str, expected: dict[str, str], check_text: Check) -> None:
    assert said(check_text, text) == expected


@pytest.mark.parametrize(
    ("text", "by", "certainty"),
    [
        (GUARDS["a security scheme refuses by itself"], "OAuth2PasswordBearer", Certainty.CERTAIN),
        (GUARDS["fastapi-users"], "fastapi-users", Certainty.CERTAIN),
        (GUARDS["AuthX"], "AuthX", Certainty.CERTAIN),
        (GUARDS["Watchword"], "Watchword", Certainty.CERTAIN),
        (GUARDS["the exception stands in a variable"], "user (Authorization header)", Certainty.LIKELY),
        (GUARDS["a middleware as a class"], "middleware AuthMiddleware", Certainty.LIKELY),
        (GUARDS["a route class"], "route class Authenticated", Certainty.LIKELY),
        (GUARDS["the handler reads the header and refuses"], "the handler (X-API-Key header)", Certainty.LIKELY),
    ],
)
def test_a_guard_says_what_it_is_and_how_sure_that_is(
    text: str, by: str, certainty: Certainty, check_text: Check
) -> None:
    subject = check_text(IMPORTS + text, RULES[0]).subject
    (route,) = (route for route in subject.routes if not route.is_from_framework)
    (guard,) = subject.protection(route).guards
    assert (guard.by, guard.certainty) == (by, certainty)
