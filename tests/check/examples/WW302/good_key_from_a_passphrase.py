"""The key for what is kept encrypted is made of a long random passphrase; no password is kept."""

import base64
import hashlib
import os

from cryptography.fernet import Fernet
from fastapi import FastAPI

app = FastAPI()


def get_key() -> bytes:
    passphrase = os.environ["ENCRYPTION_PASSPHRASE"]
    return base64.urlsafe_b64encode(hashlib.sha256(passphrase.encode()).digest())


@app.get("/upstream")
def upstream() -> dict[str, bool]:
    return {"can_decrypt": bool(Fernet(get_key()))}
