from fastapi import FastAPI
from pwdlib import PasswordHash as CryptContext

app = FastAPI()
pwd_context = CryptContext.recommended()  # was passlib's


def verify_password(plain: str, hashed: str) -> bool:
    return pwd_context.verify(plain, hashed)
