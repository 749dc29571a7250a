import base64
import hashlib
import os

import bcrypt
from fastapi import FastAPI

app = FastAPI()


def hash_password(password: str) -> bytes:
    digest = base64.b64encode(hashlib.sha256(password.encode()).digest())  # bcrypt takes 72 bytes
    return bcrypt.hashpw(digest, bcrypt.gensalt())


def derived(password: str) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", password.encode(), os.urandom(16), 600_000)


def is_leaked(password: str, suffixes: set[str]) -> bool:
    """Asks api.pwnedpasswords.com."""
    digest = hashlib.sha1(password.encode()).hexdigest().upper()
    return digest[5:] in suffixes
