from fastapi import Depends, FastAPI, HTTPException, Request

app = FastAPI()
keys: dict[str, str] = {}


async def require_key(request: Request) -> str:
    header = request.headers.get("Authorization")
    if not header or not header.startswith("Bearer "):
        raise HTTPException(403, "Forbidden")
    key = header.removeprefix("Bearer ")
    if key not in keys:
        raise HTTPException(401, "Unknown key", {"WWW-Authenticate": "Bearer"})
    return keys[key]


@app.get("/me")
async def me(user: str = Depends(require_key)) -> str:
    return user
