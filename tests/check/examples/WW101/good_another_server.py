from fastapi import Depends, FastAPI
from fastapi.security import OAuth2AuthorizationCodeBearer

app = FastAPI()
bearer = OAuth2AuthorizationCodeBearer(
    authorizationUrl="https://login.example.com/authorize", tokenUrl="https://login.example.com/token"
)


@app.get("/me")
async def me(token: str = Depends(bearer)) -> str:
    return token
