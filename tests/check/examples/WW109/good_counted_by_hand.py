import time
from collections import defaultdict

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordRequestForm

app = FastAPI()
failures: dict[str, list[float]] = defaultdict(list)


def slow_down(username: str) -> None:
    recent = [when for when in failures[username] if when > time.time() - 60]
    if len(recent) >= 5:
        raise HTTPException(status_code=429, detail="Come back in a minute")


@app.post("/token")
def token(form: OAuth2PasswordRequestForm = Depends()):
    slow_down(form.username)
    failures[form.username].append(time.time())
    raise HTTPException(400, "Incorrect username or password")
