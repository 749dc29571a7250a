from fastapi import FastAPI
from passlib.context import CryptContext

app = FastAPI()
pwd_context = CryptContext(schemes=["argon2", "hex_md5", "md5_crypt"], deprecated="auto")


def verify(password: str, kept: str) -> tuple[bool, str | None]:
    return pwd_context.verify_and_update(password, kept)
