from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm
from pwdlib import PasswordHash

app = FastAPI()
hasher = PasswordHash.recommended()
nobody = hasher.hash("nobody")
bearer = OAuth2PasswordBearer(tokenUrl="token")
users: dict[str, str] = {}


@app.post("/token")
def token(form: OAuth2PasswordRequestForm = Depends()):
    kept = users.get(form.username)
    is_right = hasher.verify(form.password, kept if kept is not None else nobody)
    if kept is None or not is_right:
        raise HTTPException(400, "Incorrect username or password")
    return {"access_token": form.username, "token_type": "bearer"}


@app.post("/me/password")
def change_password(old_password: str, new_password: str, token: str = Depends(bearer)):
    kept = users.get(token)
    if kept is None:
        raise HTTPException(404, "Gone")
    if not hasher.verify(old_password, kept):
        raise HTTPException(400, "Incorrect password")
    users[token] = hasher.hash(new_password)
