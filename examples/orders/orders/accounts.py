"""Whom the app knows: its scopes, and its own fields of a user."""

from typing import Annotated

from fastapi import Security
from pydantic import BaseModel, ConfigDict

from watchword import User, Watchword, current_user


class OrdersProfile(BaseModel):
    """What users tell about themselves. Fields that come later need a default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = ""
    address: str = ""


auth = Watchword(
    scopes={
        "orders:read": "See your orders",
        "orders:write": "Place and cancel orders",
        "reports:read": "See who orders how much",
    },
    profile=OrdersProfile,
)

AppUser = Annotated[User[OrdersProfile], Security(current_user)]
Reader = Annotated[User[OrdersProfile], Security(current_user, scopes=["orders:read"])]
Writer = Annotated[User[OrdersProfile], Security(current_user, scopes=["orders:write"])]
