"""WW506: a login whose time depends on the user."""

import re
from collections.abc import Iterator, Sequence
from statistics import median
from typing import Final

from watchword.check.asgi import Answer
from watchword.check.model import Certainty, Found, Rule, Severity
from watchword.check.probe import LoginAttempts
from watchword.check.sources import Sources
from watchword.check.subject import Subject

_SLOW_HASHES: Final = frozenset({"argon2", "bcrypt", "passlib", "pwdlib"})
_SLOW_FUNCTIONS: Final = re.compile(r"^(hashlib\.(scrypt|pbkdf2_hmac)|werkzeug\.security)")
_ELSEWHERE: Final = re.compile(
    r"^(multiprocessing|concurrent\.futures\.(process|ProcessPoolExecutor)|anyio\.to_process)\b"
)
_FASTER_THAN_ANY_HASH: Final = 0.003  # s of work; the cheapest that anybody advises takes 10 ms
_QUICK: Final = (
    0.05  # s; a server that hashes takes longer, and so may we where the machine is busy: then nothing is said
)
_MUCH: Final = 0.010  # s of work between two who are both unknown
_MANY_TIMES: Final = 4
_ENOUGH: Final = 3  # answers


def check(subject: Subject) -> Iterator[Found]:
    """Each login that answers somebody unknown before any hash could be done, or one of two unknown much sooner."""
    for asked in subject.probed.logins if subject.probed is not None else ():
        handler = subject.handler(asked.route)
        if handler is None or not (_refused(asked.short_named) and _refused(asked.long_named)):
            continue
        path, short, long = asked.route.path, _work(asked.short_named), _work(asked.long_named)
        if _is_too_fast(asked) and _hashes_slowly(subject.sources):
            message = (
                f"POST {path} answers somebody who does not exist after {short * 1000:.1f} ms: no password was hashed"
            )
            yield Found(handler.location, message, Certainty.POSSIBLE)
        elif abs(short - long) > _MUCH and max(short, long) > _MANY_TIMES * min(short, long):
            times = f"{short * 1000:.0f} and {long * 1000:.0f} ms"
            message = f"POST {path} works {times} for two people of whom neither exists"
            yield Found(handler.location, message, Certainty.POSSIBLE)


def _refused(answers: Sequence[Answer]) -> bool:
    """Whether all were, and by the login itself: not for the form of what was sent."""
    return len(answers) >= _ENOUGH and all(answer.status in {400, 401, 403, 404} for answer in answers)


def _work(answers: Sequence[Answer]) -> float:
    return median(answer.cpu_seconds for answer in answers)


def _is_too_fast(asked: LoginAttempts) -> bool:
    """Whether neither could be hashed for. Work counts: to wait says little where others use the machine."""
    kinds = (asked.short_named, asked.long_named)
    return all(_work(kind) < _FASTER_THAN_ANY_HASH and min(a.seconds for a in kind) < _QUICK for kind in kinds)


def _hashes_slowly(sources: Sources) -> bool:
    """Whether the app uses a password hash that takes its time, and takes it in this process, where it is measured."""
    names = {name for source in sources.own for name in source.imports.values()}
    if any(_ELSEWHERE.match(name) for name in names):
        return False
    return any(name.partition(".")[0] in _SLOW_HASHES or _SLOW_FUNCTIONS.match(name) for name in names) or any(
        sources.calls("hashlib.scrypt", "hashlib.pbkdf2_hmac")
    )


RULE = Rule(
    id="WW506",
    name="login-time-tells-users-apart",
    severity=Severity.WARNING,
    summary="A login's time tells whether there is such a user",
    why=(
        "A password hash takes long on purpose. Where it is done only for users who exist, an answer that comes at "
        "once says that this one does not, whatever its words are; a few requests from anywhere are enough to see it."
    ),
    fix="Verify the password of an unknown user too, against a hash that was made once for this.",
    bad="""\
import bcrypt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordRequestForm

app = FastAPI()
USERS = {}


@app.post("/token")
def token(form: OAuth2PasswordRequestForm = Depends()):
    stored = USERS.get(form.username)
    if stored is None or not bcrypt.checkpw(form.password.encode(), stored):
        raise HTTPException(401, "Wrong name or password", {"WWW-Authenticate": "Bearer"})
    return {"access_token": "...", "token_type": "bearer"}
""",
    good="""\
import bcrypt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordRequestForm

app = FastAPI()
USERS = {}
NOBODY = bcrypt.hashpw(b"nobody", bcrypt.gensalt())


@app.post("/token")
def token(form: OAuth2PasswordRequestForm = Depends()):
    stored = USERS.get(form.username, NOBODY)
    if not bcrypt.checkpw(form.password.encode(), stored) or form.username not in USERS:
        raise HTTPException(401, "Wrong name or password", {"WWW-Authenticate": "Bearer"})
    return {"access_token": "...", "token_type": "bearer"}
""",
    references=("OWASP ASVS 6.3.8", "CWE-208"),
    check=check,
    needs_probe=True,
)
