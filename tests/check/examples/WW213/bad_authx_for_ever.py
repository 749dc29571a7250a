from authx import AuthX, AuthXConfig
from fastapi import FastAPI

config = AuthXConfig(JWT_ALGORITHM="HS256", JWT_SECRET_KEY="k" * 40, JWT_REFRESH_TOKEN_EXPIRES=None)
security = AuthX(config=config)
app = FastAPI()


@app.post("/login")
def login(username: str) -> dict[str, str]:
    return {
        "access_token": security.create_access_token(uid=username),
        "refresh_token": security.create_refresh_token(uid=username),
    }
