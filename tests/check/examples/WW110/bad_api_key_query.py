from fastapi import APIRouter, FastAPI, HTTPException, Security
from fastapi.security import APIKeyHeader, APIKeyQuery

KEY_NAME = "access_token"
from_query = APIKeyQuery(name=KEY_NAME, auto_error=False)
from_header = APIKeyHeader(name=KEY_NAME, auto_error=False)


async def get_api_key(query: str | None = Security(from_query), header: str | None = Security(from_header)) -> str:
    key = header or query
    if key is None:
        raise HTTPException(status_code=403, detail="Could not validate credentials")
    return key


router = APIRouter(dependencies=[Security(get_api_key)])


@router.get("/orders")
async def orders() -> list[int]:
    return []


@router.get("/customers")
async def customers() -> list[int]:
    return []


app = FastAPI()
app.include_router(router)
