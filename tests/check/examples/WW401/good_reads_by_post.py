from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import RedirectResponse
from fastapi.security import HTTPBearer
from starlette.concurrency import run_in_threadpool

app = FastAPI()
router = APIRouter(prefix="/api/backends")


@router.post("/list_types")
async def types() -> list[str]:
    return []


@router.post("/info")
async def get_backend_info() -> str:
    return "info"


@router.put("/{name}", dependencies=[Depends(HTTPBearer())])
async def update(name: str) -> None: ...


@router.post("/{name}")
@router.delete("/{name}")
async def moved(request: Request) -> RedirectResponse:
    return RedirectResponse(f"{request.url}/")


@app.post("/webhooks/{provider}/events")
async def event(provider: str, request: Request) -> None:
    await run_in_threadpool(deliver, provider, request.headers)


def deliver(provider: str, headers: dict[str, str]) -> None: ...


app.include_router(router)
