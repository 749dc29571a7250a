"""A few rounds of PBKDF2 make a test wallet's key of the server's own secret; nobody's password is hashed."""

import os
from hashlib import pbkdf2_hmac

from fastapi import FastAPI

app = FastAPI()


def wallet_key(secret: str) -> str:
    return pbkdf2_hmac("sha256", secret.encode(), b"TestWallet", 2048, 32).hex()


@app.post("/wallet/test-payment")
async def test_payment() -> dict[str, int]:
    return {"paid": len(wallet_key(os.environ.get("TEST_WALLET_SECRET", "")))}
