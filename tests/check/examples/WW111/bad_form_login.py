from typing import Annotated

from fastapi import Depends, FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm

app = FastAPI()
app.add_middleware(CORSMiddleware, allow_origins=["http://localhost:3000"])
bearer = OAuth2PasswordBearer(tokenUrl="token")


@app.post("/token")
async def login(form: Annotated[OAuth2PasswordRequestForm, Depends()]) -> dict[str, str]:
    return {"access_token": form.username, "token_type": "bearer"}


@app.get("/me")
async def me(token: Annotated[str, Depends(bearer)]) -> str:
    return token
