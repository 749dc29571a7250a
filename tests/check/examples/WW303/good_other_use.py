from fastapi import FastAPI
from passlib.totp import TOTP

app = FastAPI()


@app.post("/two-factor")
def seed() -> dict[str, str]:
    return {"seed": TOTP.new().base32_key, "recovery": TOTP.new().hex_key}
