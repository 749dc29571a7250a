from fastapi import FastAPI, Form, Response

app = FastAPI()


@app.post("/login")
def login(response: Response, username: str = Form(), password: str = Form()) -> None:
    response.set_cookie(key="session", value=username + password, httponly=True, secure=True, samesite="lax")
