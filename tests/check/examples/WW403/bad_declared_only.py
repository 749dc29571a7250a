from typing import Annotated

from fastapi import Depends, FastAPI
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm

bearer = OAuth2PasswordBearer(
    tokenUrl="token", scopes={"items:read": "Read items.", "items:write": "Write items.", "openid": "Log in."}
)
app = FastAPI()


@app.post("/token")
def token(form: Annotated[OAuth2PasswordRequestForm, Depends()]) -> dict[str, str]:
    return {"access_token": " ".join(form.scopes), "token_type": "bearer"}


@app.get("/items")
def items(token: Annotated[str, Depends(bearer)]) -> list[int]:
    return []


@app.post("/items")
def create(token: Annotated[str, Depends(bearer)]) -> None: ...
