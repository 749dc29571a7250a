from typing import Annotated

from fastapi import Depends, FastAPI
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm

inner = FastAPI(root_path="/behind")
bearer = OAuth2PasswordBearer(tokenUrl="login")


@inner.post("/login")
async def login(form: Annotated[OAuth2PasswordRequestForm, Depends()]) -> dict[str, str]:
    return {"access_token": form.username, "token_type": "bearer"}


@inner.get("/me")
async def me(token: Annotated[str, Depends(bearer)]) -> str:
    return token


app = FastAPI()
app.mount("/api", inner)
