"""WW504: a token endpoint that does not take what clients send."""

from collections.abc import Iterator

from watchword.check.model import Certainty, Found, Rule, Severity
from watchword.check.subject import Subject


def check(subject: Subject) -> Iterator[Found]:
    """Each that `tokenUrl` names, and that finds nothing right with a form."""
    for asked in subject.probed.token_forms if subject.probed is not None else ():
        handler = subject.handler(asked.route)
        statuses = {answer.status for answer in asked.answers}
        if handler is not None and statuses and statuses <= {415, 422}:
            path, status = asked.route.path, min(statuses)
            message = f"POST {path} answers {status} to a form with grant_type, username and password"
            yield Found(handler.location, message, Certainty.CERTAIN)


RULE = Rule(
    id="WW504",
    name="token-endpoint-refuses-form",
    severity=Severity.WARNING,
    summary="What `tokenUrl` names refuses the form that OAuth 2 clients send",
    why=(
        "The OpenAPI document says that this is an OAuth 2 token endpoint. Swagger UI's Authorize button, generated "
        "clients and OAuth libraries send it a form, as the standard says, and nobody gets a token."
    ),
    fix="Take `OAuth2PasswordRequestForm` there; keep a JSON login at a path of its own.",
    bad="""\
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer
from pydantic import BaseModel

app = FastAPI()
bearer = OAuth2PasswordBearer(tokenUrl="token")


class Credentials(BaseModel):
    username: str
    password: str


@app.post("/token")
async def token(credentials: Credentials):
    raise HTTPException(401, "Wrong name or password", {"WWW-Authenticate": "Bearer"})


@app.get("/me")
async def me(token: str = Depends(bearer)): ...
""",
    good="""\
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm

app = FastAPI()
bearer = OAuth2PasswordBearer(tokenUrl="token")


@app.post("/token")
async def token(form: OAuth2PasswordRequestForm = Depends()):
    raise HTTPException(401, "Wrong name or password", {"WWW-Authenticate": "Bearer"})


@app.get("/me")
async def me(token: str = Depends(bearer)): ...
""",
    references=("RFC 6749 §4.3.2",),
    check=check,
    needs_probe=True,
)
