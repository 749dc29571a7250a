from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordRequestForm
from pwdlib import PasswordHash

app = FastAPI()
hasher = PasswordHash.recommended()
nobodys = hasher.hash("nobody's password")
users: dict[str, dict[str, str]] = {}


def update_user(user: dict[str, str] | None, **changes: str) -> None:
    if not user:
        raise HTTPException(404, "User not found")
    user.update(changes)


@app.post("/token")
def token(form: OAuth2PasswordRequestForm = Depends()):
    user = users.get(form.username)
    is_right = hasher.verify(form.password, nobodys if user is None else user["hash"])
    if user is None or not is_right:
        raise HTTPException(400, "Incorrect username or password")
    update_user(user, seen="now")
