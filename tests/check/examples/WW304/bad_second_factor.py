from fastapi import FastAPI, HTTPException
from pwdlib import PasswordHash

app = FastAPI()
password_hash = PasswordHash.recommended()
KEPT = password_hash.hash("a password")


@app.post("/2fa/setup")
async def setup_second_factor(password: str) -> str:
    if not password_hash.verify(password, KEPT):
        raise HTTPException(403)
    return "seed"
