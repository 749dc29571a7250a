"""WW107: answers that tell who has an account."""

import ast
import re
from collections.abc import Iterator, Sequence
from typing import Final

from watchword.check.access import Access
from watchword.check.answers import Outcome, outcome
from watchword.check.call_graph import nodes_of
from watchword.check.login_steps import login_functions, unknown_users
from watchword.check.model import Certainty, Found, Rule, Severity
from watchword.check.routes import AppRoute
from watchword.check.source import FunctionNode, Node
from watchword.check.subject import Subject, body_fields

_WHO: Final = r"(?:users?(?:[ _]?name)?|accounts?|e-?mail(?: address)?|login|member|customer)"
_UNKNOWN: Final = re.compile(
    rf"\b{_WHO}\b[^.]{{0,40}}(?:not found|n't exist|not exist|not registered|not recogni[sz]ed|unknown)"
    r"|\b(?:no such|no|unknown|invalid|incorrect|wrong|can(?:no|')t find|could(?: not|n't) find)"
    rf"(?: an?| the)? {_WHO}\b(?! format)",
    re.IGNORECASE,
)
_WRONG_PASSWORD: Final = re.compile(r"passw|credential", re.IGNORECASE)
_FORGOT: Final = re.compile(
    r"forgot|recover|lost.?passw|(?:request|send|init\w*).*reset|reset.*(?:request|send|init)", re.IGNORECASE
)
_CHANGES: Final = re.compile(r"_*(update|delete|remove|save|change|set)_")
_SECOND_STEP: Final = re.compile(r"token|code|otp|new_?password|password", re.IGNORECASE)


def check(subject: Subject) -> Iterator[Found]:
    """Each login that answers differently for unknown users, and each forgotten password that does."""
    told: set[ast.AST] = set()
    for function in login_functions(subject):
        for found in _by_steps(subject, function):
            told.add(function.syntax)
            yield found
            break
    for route in subject.login_routes:
        functions = subject.functions(route)
        if not told.intersection(function.syntax for function in functions):
            yield from _by_texts(subject, route, functions)
    for route in subject.routes:
        if _asks_for_a_reset(subject, route):
            yield from _of_reset(subject, route)


def _by_steps(subject: Subject, function: Node[FunctionNode]) -> Iterator[Found]:
    """A function that turns away unknown users with one answer, and wrong passwords with another."""
    for step in unknown_users(function, subject.password_calls):
        if not step.body:
            continue
        unknown = outcome(function.source.node(step.body[-1]), subject.sources)
        for branch in nodes_of(function, ast.If):
            holds = any(inner is step.verification.syntax for inner in ast.walk(branch.syntax.test))
            is_refused = isinstance(branch.syntax.test, ast.UnaryOp | ast.BoolOp)
            if not holds or not is_refused or unknown is None:
                continue
            wrong = outcome(function.source.node(branch.syntax.body[-1]), subject.sources)
            if wrong is not None and unknown.differs_from(wrong):
                message = (
                    f"{function.syntax.name} answers {unknown} for an unknown user, and {wrong} for a wrong password"
                )
                yield Found(unknown.location, message, Certainty.CERTAIN)


def _by_texts(subject: Subject, route: AppRoute, functions: Sequence[Node[FunctionNode]]) -> Iterator[Found]:
    outcomes = [
        found
        for function in functions
        if not _CHANGES.match(function.syntax.name)  # what happens to a user who is known already
        for found in _refusals(subject, function)
    ]
    unknown = [found for found in outcomes if _is_unknown(found.text)]
    others = [found for found in outcomes if _WRONG_PASSWORD.search(found.text) and not _is_unknown(found.text)]
    if unknown and any(unknown[0].differs_from(other) for other in others):
        message = f"{route.name} answers {unknown[0]} for an unknown user, and {others[0]} for a wrong password"
        yield Found(unknown[0].location, message, Certainty.LIKELY)


def _asks_for_a_reset(subject: Subject, route: AppRoute) -> bool:
    """Whether a route sends a link to whoever forgot a password: not where the link leads to."""
    name = f"{route.path} {getattr(route.endpoint, '__name__', '')}"
    if not _FORGOT.search(name) or "{token}" in route.path or any(_SECOND_STEP.search(f) for f in body_fields(route)):
        return False
    return subject.protection(route).access is Access.PUBLIC


def _of_reset(subject: Subject, route: AppRoute) -> Iterator[Found]:
    for function in subject.functions(route):
        for found in _refusals(subject, function):
            if _is_unknown(found.text):
                yield Found(found.location, f"{route.name} answers {found} for an unknown user", Certainty.LIKELY)
                return


def _is_unknown(text: str) -> bool:
    return _UNKNOWN.search(text) is not None and "passw" not in text.lower()


def _refusals(subject: Subject, function: Node[FunctionNode]) -> Iterator[Outcome]:
    for node in nodes_of(function, ast.Raise, ast.Return):
        found = outcome(node, subject.sources)
        if found is not None:
            yield found


RULE = Rule(
    id="WW107",
    name="enumerating-answer",
    severity=Severity.WARNING,
    summary="The answer tells an unknown user from a wrong password",
    why=(
        "Whoever tries addresses learns which of them have an account here: the list that password spraying, phishing "
        "and blackmail start from."
    ),
    fix=(
        "Answer both with the same status and the same text; a forgotten password always with "
        "“if there is such an account, a mail is on its way”."
    ),
    bad="""\
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordRequestForm
from pwdlib import PasswordHash

app = FastAPI()
hasher = PasswordHash.recommended()
users: dict[str, str] = {}


@app.post("/token")
def token(form: OAuth2PasswordRequestForm = Depends()):
    kept = users.get(form.username)
    if kept is None:
        raise HTTPException(404, "User not found")
    if not hasher.verify(form.password, kept):
        raise HTTPException(400, "Incorrect password")
""",
    good="""\
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordRequestForm
from pwdlib import PasswordHash

app = FastAPI()
hasher = PasswordHash.recommended()
nobodys = hasher.hash("nobody's password")
users: dict[str, str] = {}


@app.post("/token")
def token(form: OAuth2PasswordRequestForm = Depends()):
    is_right = hasher.verify(form.password, users.get(form.username, nobodys))
    if form.username not in users or not is_right:
        raise HTTPException(400, "Incorrect username or password")
""",
    references=("OWASP ASVS 6.3.8", "CWE-204"),
    check=check,
)
