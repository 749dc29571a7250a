from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer
from sqlalchemy import String
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = FastAPI()
bearer = OAuth2PasswordBearer(tokenUrl="https://login.example.com/token")


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String)
    password_hash: Mapped[str]
    is_active: Mapped[bool] = mapped_column(default=True)


def current(token: str = Depends(bearer)) -> User:
    with Session() as session:
        user = session.query(User).filter_by(email=token, is_active=True).first()
    if user is None:
        raise HTTPException(401, "Who?", {"WWW-Authenticate": "Bearer"})
    return user


@app.get("/me")
def me(user: User = Depends(current)):
    return {"email": user.email}
