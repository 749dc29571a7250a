from fastapi import FastAPI
from fastapi_users.authentication import JWTStrategy

SECRET = "SECRET"

app = FastAPI()


class UserManager:
    reset_password_token_secret = SECRET
    verification_token_secret = SECRET


def get_jwt_strategy() -> JWTStrategy:
    return JWTStrategy(secret=SECRET, lifetime_seconds=3600)
