"""What the rules about passwords and the token endpoint say, where an example is not enough to tell."""

from pathlib import Path

import pytest

from tests.check.conftest import Check, Package
from watchword.check.call_graph import CallGraph
from watchword.check.errors import CheckError
from watchword.check.load import load
from watchword.check.model import Certainty, Severity
from watchword.check.rules import (
    ww105_unauthorized_without_www_authenticate as ww105,
)
from watchword.check.rules import (
    ww303_passlib as ww303,
)
from watchword.check.rules import (
    ww304_hash_on_event_loop as ww304,
)
from watchword.check.rules import (
    ww305_password_in_response as ww305,
)
from watchword.check.subject import Subject

FORM_WITHOUT_DEPENDS = """\
from fastapi import FastAPI
from fastapi.security import OAuth2PasswordRequestForm

app = FastAPI()


@app.post("/token")
async def token(form: OAuth2PasswordRequestForm): ...
"""
LOGIN = """\
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm

app = FastAPI()
bearer = OAuth2PasswordBearer(tokenUrl="token")


@app.post("/token")
async def token(form: OAuth2PasswordRequestForm = Depends()):
    raise HTTPException(401, "Incorrect username or password")


@app.get("/me")
async def me(token: str = Depends(bearer)):
    raise HTTPException(401, "Invalid token")
"""
HABIT = """\
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm

app = FastAPI()
bearer = OAuth2PasswordBearer(tokenUrl="token")


def nobody_calls_it():
    raise HTTPException(401, "Gone")


@app.post("/token")
async def token(form: OAuth2PasswordRequestForm = Depends()):
    if not form.username:
        raise HTTPException(401, "No name")
    if not form.password:
        raise HTTPException(401, "No password")
    raise HTTPException(401, "Incorrect username or password")


def refused(text: str) -> HTTPException:
    return HTTPException(401, text)  # what all guards raise


async def current_user(token: str = Depends(bearer)):
    raise refused("Invalid token")


@app.get("/me")
async def me(user: str = Depends(current_user)):
    raise HTTPException(401, "Not you")


@app.get("/orders")
async def orders(user: str = Depends(current_user)):
    raise HTTPException(401, "No orders")
"""
CIRCLES = """\
from fastapi import FastAPI

app = FastAPI()


def there(user):
    return back(user.next)


def back(user):
    node = user
    other = node.next
    node = other.next
    node.verify_password("…")
    return there(node)


@app.get("/")
async def index():
    return there(None)
"""
HASHING = """\
import typing

if typing.TYPE_CHECKING:
    import passlib.hash

from passlib.context import CryptContext

context = CryptContext(schemes=["bcrypt"])


def hashed({0}: str) -> str:
    return context.hash({0})
"""
SERVICES = """\
from typing import Annotated

from fastapi import Depends, FastAPI

app = FastAPI()


class Store:
    def authenticate(self): ...


class Service:
    store: Store

    def __init__(self) -> None:
        self.store = Store()

    def run(self):
        return self.store.authenticate()


def service() -> "Service":
    return Service()


ServiceDep = Annotated[Service, Depends(service)]


@app.get("/")
async def index(service: ServiceDep):
    service.run()
"""


def test_a_form_that_fastapi_refuses_at_import_is_said_to_lack_depends(tmp_path: Path) -> None:
    path = tmp_path / "form_without_depends.py"
    path.write_text(FORM_WITHOUT_DEPENDS)
    with pytest.raises(CheckError, match=r"WW104: .*Depends\(\)"):
        load(str(path))


def test_a_login_that_answers_401_is_less_bad_than_a_guard_that_does(check_text: Check) -> None:
    login, guard = check_text(LOGIN, ww105.RULE).findings
    assert (login.rule.severity, guard.rule.severity) == (Severity.NOTE, Severity.WARNING)


def test_a_habit_of_bare_401s_is_one_finding_that_counts_them(check_file: Check) -> None:
    (finding,) = check_file(Path(__file__).parent / "examples/WW105/bad_a_habit.py", ww105.RULE).findings
    assert "in 6 places" in finding.message


def test_of_a_habit_the_place_is_shown_that_most_routes_run_into(check_text: Check) -> None:
    (finding,) = check_text(HABIT, ww105.RULE).findings
    assert "in 6 places" in finding.message
    assert HABIT.splitlines()[finding.location.line - 1].endswith("# what all guards raise")


def test_a_password_that_may_be_of_a_connection_is_less_sure_than_the_hash_of_a_users(check_file: Check) -> None:
    examples = Path(__file__).parent / "examples/WW305"
    (plain,) = check_file(examples / "bad_same_model_in_and_out.py", ww305.RULE).findings
    (hashed,) = check_file(examples / "bad_in_a_page_of_users.py", ww305.RULE).findings
    assert (plain.certainty, plain.rule.severity) == (Certainty.LIKELY, Severity.WARNING)
    assert (hashed.certainty, hashed.rule.severity) == (Certainty.CERTAIN, Severity.ERROR)


@pytest.mark.filterwarnings("ignore")  # passlib's own
def test_passlib_is_pointed_at_first_where_it_hashes_passwords(package: Package) -> None:
    package(
        "hashing_shop",
        main="from fastapi import FastAPI\nfrom hashing_shop import api_keys, passwords\n\napp = FastAPI()\n",
        api_keys=HASHING.format("key"),
        passwords=HASHING.format("password"),
    )
    (found,) = ww303.check(Subject.of(load("hashing_shop.main:app")))
    assert (found.location.path.name, found.location.line) == ("passwords.py", 6)


def test_a_hash_on_the_event_loop_is_said_with_the_functions_that_lead_to_it(check_file: Check) -> None:
    (finding,) = check_file(Path(__file__).parent / "examples/WW304/bad_through_helpers.py", ww304.RULE).findings
    assert finding.message == "token hashes a password on the event loop, through authenticate_user and verify_password"


def test_names_and_calls_that_go_in_circles_are_followed_once(check_text: Check) -> None:
    assert check_text(CIRCLES, ww304.RULE).findings == ()


def test_calls_are_followed_through_annotations_aliases_and_attributes(check_text: Check) -> None:
    subject: Subject = check_text(SERVICES, ww304.RULE).subject
    route = next(route for route in subject.routes if route.path == "/")
    handler = subject.handler(route)
    assert handler is not None
    names = [function.syntax.name for function in CallGraph(subject.sources).reached(handler)]
    assert names == ["index", "run", "authenticate"]
