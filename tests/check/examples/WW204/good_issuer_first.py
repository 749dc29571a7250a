import os
from functools import lru_cache

import jwt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

app = FastAPI()
bearer = HTTPBearer()
ISSUERS = {"https://one.example.com", "https://two.example.com"}


@lru_cache
def keys_of(issuer: str) -> jwt.PyJWKClient:
    return jwt.PyJWKClient(f"{issuer}/.well-known/jwks.json")


def unverified(token: str) -> dict[str, str]:
    return jwt.decode(token, options={"verify_signature": False})


def claims(credentials: HTTPAuthorizationCredentials = Depends(bearer)) -> dict[str, str]:
    token = credentials.credentials
    issuer = unverified(token).get("iss", "")
    if issuer not in ISSUERS:
        raise HTTPException(401)
    key = keys_of(issuer).get_signing_key_from_jwt(token)
    return jwt.decode(token, key, algorithms=["RS256"], audience=os.environ["AUDIENCE"], issuer=issuer)


@app.get("/me")
def me(claims: dict[str, str] = Depends(claims)) -> str:
    return claims["sub"]
