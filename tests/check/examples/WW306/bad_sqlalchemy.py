from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer
from sqlalchemy import Boolean, Column, Integer, String
from sqlalchemy.orm import DeclarativeBase, Session

app = FastAPI()
bearer = OAuth2PasswordBearer(tokenUrl="https://login.example.com/token")


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id = Column(Integer, primary_key=True)
    email = Column(String)
    hashed_password = Column(String)
    is_active = Column(Boolean, default=True)


def current(token: str = Depends(bearer)) -> User:
    with Session() as session:
        user = session.query(User).filter(User.email == token).first()
    if user is None:
        raise HTTPException(401, "Who?", {"WWW-Authenticate": "Bearer"})
    return user


@app.get("/me")
def me(user: User = Depends(current)):
    return {"email": user.email, "is_active": user.is_active}


@app.delete("/me")
def close(user: User = Depends(current)):
    user.is_active = False
