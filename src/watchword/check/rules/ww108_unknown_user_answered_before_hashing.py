"""WW108: a login that is quick to say no where there is no such user."""

import ast
from collections.abc import Iterator

from watchword.check.call_graph import nodes_of
from watchword.check.login_steps import UnknownUser, login_functions, unknown_users
from watchword.check.model import Certainty, Found, Rule, Severity
from watchword.check.source import FunctionNode, Node
from watchword.check.subject import Subject


def check(subject: Subject) -> Iterator[Found]:
    """Each function of a login that turns unknown users away without hashing anything."""
    for function in login_functions(subject):
        for step in unknown_users(function, subject.password_calls):
            if not _hashes_anyway(subject, function, step):
                message = f"{function.syntax.name} turns away an unknown user before it hashes the password"
                yield Found(step.test.location, message, Certainty.LIKELY)
                break


def _hashes_anyway(subject: Subject, function: Node[FunctionNode], step: UnknownUser) -> bool:
    """Whether a password is hashed for unknown users too: in the branch, or anywhere but for the known."""
    passwords = subject.password_calls
    if step.body:
        return any(passwords.hashes(function.source.node(statement)) for statement in step.body)
    calls = (call for call in nodes_of(function, ast.Call) if call.syntax not in ast.walk(step.test.syntax))
    return any(passwords.comes_to_hash(call) for call in calls)


RULE = Rule(
    id="WW108",
    name="unknown-user-answered-before-hashing",
    severity=Severity.WARNING,
    summary="Unknown users are turned away before anything is hashed",
    why=(
        "A password hash takes tens to hundreds of milliseconds. Where there is no such user the answer comes at once, "
        "and so anybody can time which addresses have an account, whatever the text says."
    ),
    fix="Verify the password against a fixed hash of the same cost where there is no such user, and then refuse.",
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
        raise HTTPException(400, "Incorrect username or password")
    if not hasher.verify(form.password, kept):
        raise HTTPException(400, "Incorrect username or password")
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
    references=("OWASP ASVS 6.3.8", "CWE-208"),
    check=check,
)
