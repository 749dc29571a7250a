"""WW301: a password that is compared as it was typed, so that it is kept as it was typed."""

import ast
import re
from collections.abc import Iterator
from typing import Any, Final

from watchword.check.functions import parameters
from watchword.check.login_steps import root
from watchword.check.model import Certainty, Found, Rule, Severity
from watchword.check.password_calls import is_password, last_name
from watchword.check.source import Node
from watchword.check.subject import Subject

_SAME_INPUT: Final = re.compile(r"confirm|repeat|again|retype|verif|new|old|current|previous|[12]$", re.IGNORECASE)
_INPUT: Final = re.compile(
    r"in|form|data|body|payload|request|req|login|credentials?|creds?|input|params?|schema|self|other|values?|info|dto"
)
_CONFIGURED: Final = re.compile(r"settings?|config|conf|env\w*|os", re.IGNORECASE)
_COMPARE_DIGEST: Final = frozenset({"secrets.compare_digest", "hmac.compare_digest"})


def check(subject: Subject) -> Iterator[Found]:
    """Each comparison of a password that came in with a kept one or a literal."""
    for compared in subject.sources.all(ast.Compare):
        match compared.syntax:
            case ast.Compare(left=left, ops=[ast.Eq() | ast.NotEq()], comparators=[right]):
                yield from _compared(subject, compared, left, right, is_constant_time=False)
    for call in subject.sources.calls(*_COMPARE_DIGEST):
        match call.syntax.args:
            case [left, right]:
                yield from _compared(subject, call, left, right, is_constant_time=True)


def _compared(
    subject: Subject, node: Node[Any], left: ast.expr, right: ast.expr, *, is_constant_time: bool
) -> Iterator[Found]:
    for typed, kept in ((left, right), (right, left)):
        what = _typed(subject, node, typed)
        if what is None:
            continue
        against = _kept(subject, node, kept, is_constant_time=is_constant_time)
        if against is not None:
            yield Found(node.location, f"{what} is compared with {against}", Certainty.CERTAIN)
            return


def _typed(subject: Subject, node: Node[Any], side: ast.expr) -> str | None:
    """How a password that came in is written; None if it is none, or was hashed before."""
    plain = _unwrapped(subject, node, side)
    name, owner = last_name(plain), root(_owner(plain))
    if not is_password(name) or name.isupper() or _SAME_INPUT.search(name) or _is_configured(owner):
        return None
    function = node.source.function_of(node.syntax)
    taken = {parameter.arg for parameter in parameters(function)} if function is not None else set()
    made = node.source.assigned_in(function).get(name) if function is not None else None
    is_hashed = isinstance(plain, ast.Name) and made is not None
    return None if is_hashed or (_is_stored(plain) and owner not in taken) else ast.unparse(plain)


def _kept(subject: Subject, node: Node[Any], side: ast.expr, *, is_constant_time: bool) -> str | None:
    """What a password is compared with that shows it is kept in plain text; None if it is not."""
    if "default" in ast.unparse(side).lower():  # to see whether somebody has to choose another one
        return None
    plain = _unwrapped(subject, node, side)
    name = last_name(plain)
    if not isinstance(plain, ast.Name) and _is_configured(root(_owner(plain))):
        return None if is_constant_time or not is_password(name) else f"{ast.unparse(plain)} by =="
    value = subject.sources.constant(node.source.node(side))
    if isinstance(value, str | bytes):
        text = value if isinstance(value, str) else value.decode(errors="replace")
        return "a literal in the source" if re.search(r"\w", text) else None  # and not ****, which stands for no change
    if not is_password(name) or _SAME_INPUT.search(name):
        return None
    return ast.unparse(plain) if _is_stored(plain) else None


def _unwrapped(subject: Subject, node: Node[Any], side: ast.expr) -> ast.expr:
    """Without `.encode()` and the like, and a local name followed to what it was made of."""
    for _hop in range(4):
        match side:
            case ast.Call(func=ast.Attribute(value=value, attr="encode" | "get_secret_value" | "strip")):
                side = value
            case ast.Call(func=ast.Name(id="str" | "bytes"), args=[value, *_]):
                side = value
            case ast.Name():
                found = subject.sources.resolve(node.source.node(side)).syntax
                if found is side or not isinstance(found, ast.expr):
                    return side
                side = found
    return side


def _owner(side: ast.expr) -> ast.expr:
    """What a password is read from: `user` of `user.password` and of `user.get("password")`."""
    match side:
        case ast.Call(func=ast.Attribute(value=value)) | ast.Attribute(value=value) | ast.Subscript(value=value):
            return value
    return side


def _is_configured(name: str) -> bool:
    return any(_CONFIGURED.fullmatch(word) for word in name.split("_"))


def _is_stored(side: ast.expr) -> bool:
    """Whether it is read from something that is no form, such as a user, a row or a table of users."""
    if not isinstance(side, ast.Attribute | ast.Subscript | ast.Call):
        return False
    owner = _owner(side)
    while isinstance(owner, ast.Call):
        owner = owner.func.value if isinstance(owner.func, ast.Attribute) else owner.func
    name = root(owner).lower()
    return bool(name) and not any(_INPUT.fullmatch(word) for word in re.split(r"_|\d", name) if word)


RULE = Rule(
    id="WW301",
    name="password-compared-in-plain-text",
    severity=Severity.ERROR,
    summary="A password is compared in plain text",
    why=(
        "Whoever reads the database, a backup or the source has everybody's password, here and wherever else they use "
        "it. And `==` takes longer the more of it is right."
    ),
    fix="Keep only a hash made by Argon2id or bcrypt, and let the library verify it.",
    bad="""\
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordRequestForm

app = FastAPI()
users: dict[str, dict[str, str]] = {}


@app.post("/token")
def token(form: OAuth2PasswordRequestForm = Depends()):
    user = users[form.username]
    if form.password != user["password"]:
        raise HTTPException(400, "Incorrect username or password")
""",
    good="""\
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordRequestForm
from pwdlib import PasswordHash

app = FastAPI()
hasher = PasswordHash.recommended()
users: dict[str, dict[str, str]] = {}


@app.post("/token")
def token(form: OAuth2PasswordRequestForm = Depends()):
    user = users[form.username]
    if not hasher.verify(form.password, user["password_hash"]):
        raise HTTPException(400, "Incorrect username or password")
""",
    references=("OWASP ASVS 11.4.2", "CWE-256", "CWE-208"),
    check=check,
)
