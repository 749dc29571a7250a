from fastapi import APIRouter, Depends, FastAPI
from fastapi.security import HTTPBasic

router = APIRouter()


@router.get("/things", dependencies=[Depends(HTTPBasic())])
def things() -> list[int]:
    return []


@router.put("/things/{id}")
@router.patch("/things/{id}")
@router.delete("/v1/things/{id}")
def change(id: int) -> int:
    return id


app = FastAPI()
app.include_router(router, prefix="/api")
