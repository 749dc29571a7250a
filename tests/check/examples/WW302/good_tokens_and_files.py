import hashlib
import secrets

from fastapi import FastAPI, UploadFile

app = FastAPI()
reset_tokens: dict[str, str] = {}


def hash_api_key(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def verify_password_reset_token(token: str) -> str | None:
    return reset_tokens.get(hashlib.sha256(token.encode()).hexdigest())


@app.post("/forgot")
def forgot(email: str) -> str:
    password_reset_token = secrets.token_urlsafe(32)
    reset_tokens[hashlib.sha256(password_reset_token.encode()).hexdigest()] = email
    return f"https://www.gravatar.com/avatar/{hashlib.md5(email.encode()).hexdigest()}"


@app.post("/files")
async def upload(file: UploadFile) -> str:
    return hashlib.sha256(await file.read()).hexdigest()
