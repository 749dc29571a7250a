"""The token says from where to read on; who reads is asked by a guard."""

from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPBearer
from itsdangerous import BadSignature, URLSafeSerializer

app = FastAPI()
bearer = HTTPBearer()
places = URLSafeSerializer("a key that is long enough, and from elsewhere")


@app.get("/logs", dependencies=[Depends(bearer)])
def logs(token: str | None = None) -> dict[str, int]:
    if token is None:
        return {"offset": 0}
    try:
        return {"offset": places.loads(token)["offset"]}
    except BadSignature:
        raise HTTPException(400, "Bad signature: use only a token that the API gave you") from None
