from fastapi import Depends, FastAPI, Request
from starlette.exceptions import HTTPException

PARAMETER = "jwt"


class Auth:
    async def __call__(self, request: Request) -> str:
        token = request.headers.get("authorization") or request.query_params.get(PARAMETER)
        if not token:
            raise HTTPException(401)
        return token


app = FastAPI(dependencies=[Depends(Auth())])


@app.get("/orders")
async def orders() -> list[int]:
    return []
