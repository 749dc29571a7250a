from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordRequestForm
from pwdlib import PasswordHash

app = FastAPI()
hasher = PasswordHash.recommended()
users: dict[str, str] = {}
WRONG = HTTPException(400, "Incorrect username or password")


def refuse() -> HTTPException:
    return HTTPException(400, "Incorrect username or password")


@app.post("/token")
def token(form: OAuth2PasswordRequestForm = Depends()):
    kept = users.get(form.username)
    if kept is None:
        raise WRONG
    if not hasher.verify(form.password, kept):
        raise HTTPException(400, "Incorrect username or password")
    return {"access_token": form.username, "token_type": "bearer"}
