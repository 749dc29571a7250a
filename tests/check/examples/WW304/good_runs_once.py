from fastapi import APIRouter, FastAPI, HTTPException
from pwdlib import PasswordHash

app = FastAPI()
router = APIRouter(prefix="/api/v1")
password_hash = PasswordHash.recommended()
ADMINS: list[str] = []


@router.put("/auth/first_install")
async def first_install(password: str) -> None:
    if ADMINS:
        raise HTTPException(403)
    ADMINS.append(password_hash.hash(password))


@router.post("/setup")
async def create_admin(password: str) -> None:
    if ADMINS:
        raise HTTPException(403)
    ADMINS.append(password_hash.hash(password))


app.include_router(router)
