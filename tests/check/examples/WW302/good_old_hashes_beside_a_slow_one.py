import hashlib
import secrets

from fastapi import FastAPI

app = FastAPI()


def verify_password(password: str, stored: str) -> bool:
    if stored.startswith("scrypt:"):
        _, salt, digest = stored.split(":")
        computed = hashlib.scrypt(password.encode(), salt=bytes.fromhex(salt), n=16384, r=8, p=1)
        return secrets.compare_digest(computed.hex(), digest)
    # A hash from before: replaced at the next login.
    return secrets.compare_digest(hashlib.sha256(password.encode()).hexdigest().encode(), stored.encode())
