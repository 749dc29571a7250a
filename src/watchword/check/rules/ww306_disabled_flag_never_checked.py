"""WW306: a flag that says who may no longer log in, and a login that does not look."""

import ast
import re
from collections.abc import Iterator
from typing import Final

from watchword.check.callables import held_by, package_of
from watchword.check.model import Certainty, Found, Rule, Severity
from watchword.check.password_calls import PASSWORD, PASSWORD_HASH
from watchword.check.source import Node, Source
from watchword.check.subject import Subject

_FLAG: Final = re.compile(
    r"(?:is_)?(?:disabled|active|enabled|banned|blocked|suspended|deactivated|locked)|isActive|isDisabled"
)
_USER: Final = re.compile(r"user|account|member|person", re.IGNORECASE)
_FILTERING: Final = re.compile(r"filter|where|find|get|exists|first|fetch|select|one|count", re.IGNORECASE)


def check(subject: Subject) -> Iterator[Found]:
    """Each such flag of the app's users that nothing reads, once."""
    if not _authenticates_itself(subject):
        return
    seen: set[str] = set()
    for flag, owner, field in sorted(_flags(subject), key=lambda found: not _keeps_password(found[1])):
        if flag in seen:
            continue
        seen.add(flag)
        if not any(_reads(source, flag) for source in subject.sources.own):
            message = f"{owner.syntax.name}.{flag} is never read: no login and no guard asks for it"
            yield Found(owner.source.location(field), message, Certainty.LIKELY)


def _authenticates_itself(subject: Subject) -> bool:
    """Whether the app's own code tells who somebody is: libraries that do ask for their own flags."""
    calls = {dependency.call for route in subject.routes for dependency in route.all_dependencies()}
    if any(package_of(call) == "watchword" or _asks_for_active(call) for call in calls):
        return False
    if any(subject.handler(route) is not None for route in subject.login_routes):
        return True
    guards = {guard.call for route in subject.routes for guard in subject.protection(route).guards}
    return any(subject.own(guard) is not None for guard in guards)


def _asks_for_active(call: object) -> bool:
    return callable(call) and package_of(call) == "fastapi_users" and held_by(call).get("active") is True


def _flags(subject: Subject) -> Iterator[tuple[str, Node[ast.ClassDef], ast.stmt]]:
    """The flags of classes that are named as users are and keep a password somewhere in them or above or below."""
    owners = [owner for owner in subject.sources.all(ast.ClassDef) if _USER.search(owner.syntax.name)]
    if not any(_keeps_password(owner) for owner in owners):
        return
    for owner in owners:
        for statement in owner.syntax.body:
            match statement:
                case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]) if (
                    _FLAG.fullmatch(name)
                ):
                    yield name, owner, statement


def _keeps_password(owner: Node[ast.ClassDef]) -> bool:
    names = [
        node.id for node in ast.walk(owner.syntax) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]
    return any(PASSWORD.fullmatch(name) or PASSWORD_HASH.fullmatch(name) for name in names)


def _reads(source: Source, flag: str) -> bool:
    """Whether a file does anything with a flag but declare it, set it and pass it on under its own name."""
    for node in source.nodes:
        match node:
            case ast.Attribute(attr=name, ctx=ast.Load()) if name == flag and not _is_passed_on(source, node, flag):
                return True
            case ast.Call(func=func, keywords=keywords) if any(keyword.arg == flag for keyword in keywords):
                if _FILTERING.search(ast.unparse(func).rpartition(".")[2]):
                    return True
            case ast.Constant(value=str(text)) if _is_read_by_name(source, node, text, flag):
                return True
    return False


def _is_passed_on(source: Source, node: ast.AST, flag: str) -> bool:
    match next(source.parents(node), None):
        case ast.keyword(arg=name) | ast.Assign(targets=[ast.Attribute(attr=name)]):
            return name == flag
        case ast.Dict(keys=keys, values=values):
            pairs = zip(keys, values, strict=True)
            return any(value is node and isinstance(key, ast.Constant) and key.value == flag for key, value in pairs)
    return False


def _is_read_by_name(source: Source, node: ast.Constant, text: str, flag: str) -> bool:
    """`user["disabled"]`, `user.get("disabled")`, and SQL that names it in a condition."""
    if text == flag:
        match next(source.parents(node), None):
            case ast.Subscript(ctx=ast.Load()) | ast.Call():
                return True
        return False
    return re.search(rf"(?is)\b(?:where|and|select)\b.*\b{flag}\b", text) is not None


RULE = Rule(
    id="WW306",
    name="disabled-flag-never-checked",
    severity=Severity.WARNING,
    summary="Users have a flag that shuts them out, and nothing checks it",
    why=(
        "Whoever sets it believes the account is closed. It goes on logging in, and the tokens it has go on being "
        "accepted."
    ),
    fix="Check it at login, and at each request in the dependency that all guarded routes share.",
    bad="""\
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordRequestForm
from pwdlib import PasswordHash
from pydantic import BaseModel

app = FastAPI()
hasher = PasswordHash.recommended()


class User(BaseModel):
    hashed_password: str
    disabled: bool = False


users: dict[str, User] = {}


@app.post("/token")
def token(form: OAuth2PasswordRequestForm = Depends()):
    user = users[form.username]
    if not hasher.verify(form.password, user.hashed_password):
        raise HTTPException(400, "Incorrect username or password")
""",
    good="""\
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordRequestForm
from pwdlib import PasswordHash
from pydantic import BaseModel

app = FastAPI()
hasher = PasswordHash.recommended()


class User(BaseModel):
    hashed_password: str
    disabled: bool = False


users: dict[str, User] = {}


@app.post("/token")
def token(form: OAuth2PasswordRequestForm = Depends()):
    user = users[form.username]
    if not hasher.verify(form.password, user.hashed_password) or user.disabled:
        raise HTTPException(400, "Incorrect username or password")
""",
    references=("OWASP ASVS 7.4.2", "CWE-613"),
    check=check,
)
