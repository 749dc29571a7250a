"""For the office: a scope on the whole router."""

from fastapi import APIRouter, Request
from sqlalchemy import func, select

from orders.accounts import auth
from orders.database import Order, Session
from watchword import requires

router = APIRouter(prefix="/reports", tags=["reports"], dependencies=[requires("reports:read")])


@router.get("/customers")
async def customers(request: Request, session: Session) -> dict[str, int]:
    """Who ordered how many things; the shop's own stock does not count."""
    statement = (
        select(Order.user_id, func.sum(Order.quantity))
        .where(Order.user_id != request.state.shop_id)
        .group_by(Order.user_id)
    )
    report = {}
    for user_id, quantity in (await session.execute(statement)).all():
        if user := await auth.users.get(user_id):
            report[user.profile.name or user.email] = quantity
    return report
