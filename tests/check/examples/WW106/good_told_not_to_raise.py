from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.security import HTTPBearer

app = FastAPI()


class HeaderOfOurs(HTTPBearer):
    def __init__(self, *, auto_error: bool = True) -> None:
        super().__init__(auto_error=auto_error)

    async def __call__(self, request: Request) -> str | None:
        authorization = request.headers.get("X-Shop-Authorization")
        if not authorization:
            if self.auto_error:
                raise HTTPException(status_code=403, detail="Not authenticated")
            return None
        return authorization


scheme = HeaderOfOurs(auto_error=False)


@app.get("/orders")
async def orders(found: str | None = Depends(scheme)) -> list[str]:
    if found is None:
        raise HTTPException(401, "Not authenticated", {"WWW-Authenticate": "Bearer"})
    return []
