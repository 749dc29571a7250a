"""A WebSocket: send the number of an order, get what is known of it."""

from fastapi import APIRouter, WebSocket

from orders.accounts import AppUser
from orders.database import Order, sessions

router = APIRouter()


@router.websocket("/orders/live")
async def live(socket: WebSocket, user: AppUser) -> None:
    await socket.accept()
    async for number in socket.iter_text():
        async with sessions() as session:  # one for each message: a socket lives long, a connection is dear
            order = await session.get(Order, int(number)) if number.isdecimal() else None
        mine = order is not None and order.user_id == user.id
        await socket.send_json({"order": number, "state": "placed" if mine else "unknown"})
