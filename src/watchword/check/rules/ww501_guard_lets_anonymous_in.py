"""WW501: a guard that lets callers without credentials in."""

from collections.abc import Iterator

from watchword.check.let_in import by_guard, is_on_purpose
from watchword.check.model import Certainty, Found, Rule, Severity
from watchword.check.subject import Subject


def check(subject: Subject) -> Iterator[Found]:
    """Each guard that a GET without credentials passed, and that does not look as if it were meant to let it pass."""
    if subject.probed is None:
        return
    let_in = (
        asked
        for asked in subject.probed.guarded
        if asked.anonymous is not None and asked.anonymous.is_success and not is_on_purpose(subject, asked)
    )
    for found in by_guard(subject, let_in):
        assert found.asked.anonymous is not None
        status = found.asked.anonymous.status
        message = f"{found.route} answers {status} to a call without credentials, though {found.guard} guards it"
        yield Found(found.location, message, Certainty.CERTAIN)


RULE = Rule(
    id="WW501",
    name="guard-lets-anonymous-in",
    severity=Severity.ERROR,
    summary="A guarded route answers callers without credentials",
    why=(
        "There is a guard, and so everybody believes that the route is guarded; but the key that it compares with was "
        "never set, or something has switched it off. Whoever sends nothing is in."
    ),
    fix="Let the guard refuse where it has nothing to compare with; better, let the app not start.",
    bad="""\
import os
import secrets

from fastapi import Depends, FastAPI, Header, HTTPException

app = FastAPI()
API_KEY = os.environ.get("SHOP_API_KEY", "")


async def check_key(x_api_key: str = Header("")):
    if not secrets.compare_digest(x_api_key, API_KEY):
        raise HTTPException(401, headers={"WWW-Authenticate": "ApiKey"})


@app.get("/orders", dependencies=[Depends(check_key)])
async def orders():
    return []
""",
    good="""\
import os
import secrets

from fastapi import Depends, FastAPI, Header, HTTPException

app = FastAPI()
API_KEY = os.environ.get("SHOP_API_KEY", "")


async def check_key(x_api_key: str = Header("")):
    if not API_KEY or not secrets.compare_digest(x_api_key, API_KEY):
        raise HTTPException(401, headers={"WWW-Authenticate": "ApiKey"})


@app.get("/orders", dependencies=[Depends(check_key)])
async def orders():
    return []
""",
    references=("OWASP ASVS 7.2.1", "CWE-306"),
    check=check,
    needs_probe=True,
)
