from fastapi import Depends, FastAPI
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm
from pydantic import BaseModel
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = FastAPI()
bearer = OAuth2PasswordBearer(tokenUrl="token")


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    hashed_password: Mapped[str]


class UserCreate(BaseModel):
    name: str
    password: str


class UserRead(BaseModel):
    name: str
    has_password: bool = True
    password: bool = True


def current(token: str = Depends(bearer)) -> User:
    with Session() as session:
        return session.get_one(User, token)


@app.post("/token")
def token(form: OAuth2PasswordRequestForm = Depends()):
    return {"access_token": form.username, "token_type": "bearer"}


@app.post("/users", response_model=UserRead)
def create(data: UserCreate):
    return data


@app.get("/me", response_model=UserRead)
def me(user: User = Depends(current)):
    return user


@app.get("/id")
def my_id(user: User = Depends(current)):
    return user.id
