"""A user's own orders."""

from typing import Annotated

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select

from orders.accounts import Reader, Writer
from orders.database import Order, Session

router = APIRouter(prefix="/orders", tags=["orders"])


class NewOrder(BaseModel):
    item: Annotated[str, Field(min_length=1, max_length=200)]
    quantity: Annotated[int, Field(ge=1, le=100)] = 1


class OrderAnswer(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    item: str
    quantity: int
    address: str


@router.post("", status_code=201)
async def place(new: NewOrder, user: Writer, session: Session) -> OrderAnswer:
    """Place an order, to the address in the user's profile."""
    order = Order(user_id=user.id, address=user.profile.address, **new.model_dump())
    session.add(order)
    await session.commit()
    return OrderAnswer.model_validate(order)


@router.get("")
async def mine(user: Reader, session: Session) -> list[OrderAnswer]:
    """See one's orders."""
    found = await session.scalars(select(Order).where(Order.user_id == user.id).order_by(Order.id))
    return [OrderAnswer.model_validate(order) for order in found]


@router.delete("/{order_id}", status_code=204)
async def cancel(order_id: int, user: Writer, session: Session) -> None:
    """Cancel one's order."""
    order = await session.get(Order, order_id)
    if order is None or order.user_id != user.id:  # the same answer: nobody learns of others' orders
        raise HTTPException(404, "There is no such order")
    await session.delete(order)
    await session.commit()
