from fastapi import FastAPI, HTTPException

app = FastAPI()
USERS: dict[str, str] = {}


@app.post("/login")
def login(username: str, password: str) -> dict[str, str]:
    if username not in USERS:
        raise HTTPException(status_code=401)
    return {"access_token": USERS[username], "token_type": "bearer"}
