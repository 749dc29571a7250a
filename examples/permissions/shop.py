from fastapi import FastAPI

from watchword import CurrentPrincipal, Watchword, requires

app = FastAPI()
auth = Watchword(
    scopes={
        "orders:read": "Read orders",
        "orders:write": "Change orders",
        "reports:read": "Read reports",
    }
)
auth.install(app)


@app.get("/orders", dependencies=[requires("orders:read")])
async def orders() -> list[str]:
    return ["an order"]


@app.post("/orders", dependencies=[requires("orders:write")])
async def new_order(principal: CurrentPrincipal) -> dict[str, str]:
    return {"ordered_by": principal.subject}


@app.get("/reports", dependencies=[requires("reports:read")])
async def reports() -> list[str]:
    return ["a report"]
