from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import APIKeyHeader

app = FastAPI()
roles = {"k1": "admin"}
api_key = APIKeyHeader(name="X-API-Key")


class RoleChecker:
    def __init__(self, role: str) -> None:
        self.role = role

    def __call__(self, key: Annotated[str, Depends(api_key)]) -> str:
        if key not in roles:
            raise HTTPException(401, "Unknown key", {"WWW-Authenticate": "APIKey"})
        if roles[key] != self.role:
            raise HTTPException(403, "Not enough rights")
        return key


@app.delete("/orders", dependencies=[Depends(RoleChecker("admin"))])
async def delete() -> str:
    return "deleted"
