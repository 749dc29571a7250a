import os
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import jwt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm

app = FastAPI()
bearer = OAuth2PasswordBearer(tokenUrl="token")
ended: set[str] = set()


def claims_of(token: str = Depends(bearer)) -> dict[str, str]:
    claims = jwt.decode(token, os.environ["KEY"], algorithms=["HS256"])
    if claims["jti"] in ended:
        raise HTTPException(401)
    return claims


@app.post("/token")
def token(form: OAuth2PasswordRequestForm = Depends()) -> dict[str, str]:
    claims = {"sub": form.username, "jti": uuid4().hex, "exp": datetime.now(UTC) + timedelta(days=1)}
    return {"access_token": jwt.encode(claims, os.environ["KEY"], algorithm="HS256"), "token_type": "bearer"}


@app.delete("/token")
def end(claims: dict[str, str] = Depends(claims_of)) -> None:
    ended.add(claims["jti"])
