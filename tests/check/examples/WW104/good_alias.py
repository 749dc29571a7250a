from typing import Annotated

from fastapi import Depends, FastAPI
from fastapi.security import OAuth2PasswordRequestForm

app = FastAPI()
LoginForm = Annotated[OAuth2PasswordRequestForm, Depends()]


@app.post("/token")
async def token(form: LoginForm) -> dict[str, str]:
    return {"access_token": form.username, "token_type": "bearer"}
