from fastapi import Depends, FastAPI, HTTPException, Security
from fastapi.security import HTTPBearer, OAuth2AuthorizationCodeBearer, SecurityScopes

login = OAuth2AuthorizationCodeBearer(
    authorizationUrl="https://login.example.com/authorize",
    tokenUrl="https://login.example.com/token",
    scopes={"openid": "Log in.", "profile": "Your name."},
)
app = FastAPI()


def check(scopes: SecurityScopes, token: str) -> None:
    if not set(scopes.scopes) <= set(token.split()):
        raise HTTPException(status_code=403)


class Verified:
    def __call__(self, scopes: SecurityScopes, token: object = Depends(HTTPBearer())) -> None:
        check(scopes, str(token))


@app.get("/items", dependencies=[Security(Verified(), scopes=["items:read"])])
def items() -> list[int]:
    return []


@app.get("/me")
def me(token: str = Depends(login)) -> str:
    return token
