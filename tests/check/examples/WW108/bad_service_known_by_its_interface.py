from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordRequestForm
from starlette.authentication import AuthenticationBackend

app = FastAPI()
services: dict[str, AuthenticationBackend] = {}


class AuthService(AuthenticationBackend):
    def __init__(self, settings):
        self.settings = settings

    async def authenticate_user(self, username: str, password: str):
        user = await self.settings.users.find(username)
        if not user:
            return None
        if not self.verify_password(password, user.password):
            return None
        return user

    def verify_password(self, plain_password, hashed_password):
        return self.settings.pwd_context.verify(plain_password, hashed_password)


def get_service() -> AuthenticationBackend:
    return services["auth"]


@app.post("/login")
async def login(form: OAuth2PasswordRequestForm = Depends()):
    service = get_service()
    if not await service.authenticate_user(form.username, form.password):
        raise HTTPException(400, "Incorrect username or password")
