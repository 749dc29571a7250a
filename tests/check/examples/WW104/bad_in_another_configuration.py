import os

from fastapi import APIRouter, FastAPI
from fastapi.security import OAuth2PasswordRequestForm


class LoginForm(OAuth2PasswordRequestForm):
    pass


def password_router() -> APIRouter:
    router = APIRouter()

    @router.post("/token")
    async def token(form: LoginForm) -> dict[str, str]:
        return {"access_token": form.username, "token_type": "bearer"}

    return router


app = FastAPI()
if os.environ.get("SHOP_PASSWORD_LOGIN_IS_ON"):
    app.include_router(password_router())
