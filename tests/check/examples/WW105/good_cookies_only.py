from fastapi import Cookie, Depends, FastAPI, HTTPException

app = FastAPI()
sessions: dict[str, str] = {}


def user(session: str | None = Cookie(default=None)) -> str:
    if session is None or session not in sessions:
        raise HTTPException(status_code=401, detail="Please log in")
    return sessions[session]


@app.get("/me")
def me(user: str = Depends(user)) -> str:
    return user
