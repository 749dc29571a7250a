from fastapi import FastAPI, Response
from fastapi.middleware.cors import CORSMiddleware

app = FastAPI()
app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_credentials=True)


def set_token(response: Response, token: str, *, is_of_the_site: bool) -> None:
    response.set_cookie("access_token", token, httponly=True, samesite="lax" if is_of_the_site else "none")


@app.post("/login")
def login(response: Response) -> None:
    set_token(response, "value", is_of_the_site=True)
    response.set_cookie("refresh_token", "value", httponly=True)
