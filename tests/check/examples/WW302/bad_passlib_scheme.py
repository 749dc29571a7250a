from fastapi import FastAPI
from passlib.context import CryptContext

app = FastAPI()
SCHEMES = ["hex_sha256", "bcrypt"]
pwd_context = CryptContext(schemes=SCHEMES)


def get_password_hash(password: str) -> str:
    return pwd_context.hash(password)
