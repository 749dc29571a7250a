from fastapi import Depends, FastAPI, Header, HTTPException, Request

app = FastAPI()


def same_site(request: Request, x_csrf_token: str | None = Header(default=None)) -> None:
    if not x_csrf_token or x_csrf_token != request.cookies.get("csrf_token"):
        raise HTTPException(403, "CSRF check failed")


@app.post("/orders", dependencies=[Depends(same_site)])
async def order() -> str:
    return "ordered"
