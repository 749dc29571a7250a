from authx import AuthX, AuthXConfig
from fastapi import FastAPI

config = AuthXConfig()
config.JWT_ALGORITHM = "HS256"
config.JWT_SECRET_KEY = "your-secret-key-change-in-production"
config.JWT_TOKEN_LOCATION = ["headers"]
security = AuthX(config=config)

app = FastAPI()


@app.post("/login")
def login(username: str) -> dict[str, str]:
    return {"access_token": security.create_access_token(uid=username)}
