"""`route_case`: every route of a host × everybody whom it must refuse, in small host projects."""

import pytest
from tests.testing.projects import run

pytest_plugins = ["pytester"]

TEST = """
import pytest

@pytest.mark.public_routes({})
def test_refuses(route_case):
    route_case()
"""


def test_each_route_is_asked_by_each_who_must_be_refused(project: pytest.Pytester) -> None:
    project.makepyfile(TEST.format(""))
    result = run(project, "-v")
    result.assert_outcomes(passed=10)
    result.stdout.fnmatch_lines(
        [
            *(f"*[[]GET /mine-{caller}[]] PASSED*" for caller in ("anonymous", "revoked", "disabled")),
            *(f"*[[]GET /orders-{caller}[]] PASSED*" for caller in ("anonymous", "wrong scope", "revoked", "disabled")),
            *(f"*[[]WEBSOCKET /live-{caller}[]] PASSED*" for caller in ("anonymous", "revoked", "disabled")),
        ]
    )
    result.stdout.no_fnmatch_line("*/auth/*")


MORE = """
import uuid
from fastapi import APIRouter, Depends, Header, HTTPException
from watchword import requires_recent_login, requires_second_factor
from shop import app

class Order(BaseModel):
    item: str

router = APIRouter(prefix="/shops/{shop}", dependencies=[requires("orders:read")])

@router.api_route("/orders/{number}", methods=["PUT", "DELETE"])
async def change(shop: uuid.UUID, number: int, order: Order, dry: bool): ...

@router.post("/pay", dependencies=[requires_second_factor(minutes=5), requires_recent_login()])
async def pay(shop: uuid.UUID, order: Order): ...

def key(x_api_key: str = Header("")):
    if x_api_key != "the key":
        raise HTTPException(403)

@app.post("/hook", dependencies=[Depends(key)])
async def hook(order: Order): ...

app.include_router(router)
"""


def add(project: pytest.Pytester, text: str) -> None:
    path = project.path / "shop.py"
    path.write_text(path.read_text() + text.replace("from shop import app\n", ""))


def test_what_a_route_needs_beside_a_guard_is_no_hindrance(project: pytest.Pytester) -> None:
    add(project, MORE)
    project.makepyfile(TEST.format(""))
    result = run(project, "-v", "-k", "shops or hook")
    result.assert_outcomes(passed=4 + 4 + 4 + 1, deselected=10)
    result.stdout.fnmatch_lines(
        ["*[[]DELETE /shops/{shop}/orders/{number}-wrong scope[]]*", "*[[]POST /shops/{shop}/pay-wrong scope[]]*"]
    )


def test_a_public_route_is_listed_or_fails(project: pytest.Pytester) -> None:
    add(
        project,
        """
asked = []

@app.get("/")
async def home(): ...

@app.post("/contact")
async def contact():
    asked.append("contact")
""",
    )
    project.makepyfile(
        TEST.format('"GET /"')
        + """
def test_it_was_not_asked():
    import shop
    assert shop.asked == []
"""
    )
    result = run(project)
    result.assert_outcomes(passed=11, failed=1)
    result.stdout.fnmatch_lines(
        [
            "POST /contact is public: nothing guards it. If it is meant to be: *public_routes('POST /contact')",
        ]
    )


def test_who_gets_in_is_named(project: pytest.Pytester) -> None:
    add(project, "\napp.dependency_overrides[current_user] = lambda: User\n")
    project.makepyfile(TEST.format(""))
    result = run(project, "-k", "mine or live")
    result.assert_outcomes(failed=6, deselected=4)
    result.stdout.fnmatch_lines(
        ["GET /mine answers 500 (AttributeError: *) to a call without a token, not 401 with WWW-Authenticate"]
    )
    result.stdout.fnmatch_lines(["GET /mine answers 500 * to a token that was revoked, not 401 with WWW-Authenticate"])
    result.stdout.fnmatch_lines(["WEBSOCKET /live answers 101 to a user who was disabled, not 401 *"])


def test_a_refusal_must_say_how_to_authenticate(project: pytest.Pytester) -> None:
    add(
        project,
        """
from fastapi import HTTPException
from fastapi.responses import PlainTextResponse

@app.exception_handler(HTTPException)
async def in_our_words(request, error):
    return PlainTextResponse("No.", error.status_code)
""",
    )
    project.makepyfile(TEST.format(""))
    result = run(project, "-k", "orders")
    result.assert_outcomes(failed=4, deselected=6)
    result.stdout.fnmatch_lines(
        ["GET /orders answers 403 to a token with every scope but its own, not 403 insufficient_scope"]
    )


def test_a_public_route_that_does_not_exist_is_no_longer_listed(project: pytest.Pytester) -> None:
    project.makepyfile(TEST.format('"GET /gone", "GET /mine"'))
    result = run(project)
    assert result.ret != 0
    result.stdout.fnmatch_lines(["*public_routes names what is no route of the app: GET /gone"])


def test_an_app_that_cannot_be_had_in_time_is_asked_for(project: pytest.Pytester) -> None:
    project.makeconftest("""
        import pytest

        @pytest.fixture
        def watchword_app(tmp_path):
            from shop import app
            return app
    """)
    project.makepyfile(TEST.format(""))
    result = run(project)
    assert result.ret != 0
    result.stdout.fnmatch_lines(["*route_case asks for the app before any test runs: let watchword_app *"])


def test_workers_find_the_same_cases(project: pytest.Pytester) -> None:
    project.makepyfile(TEST.format(""))
    run(project, "-p", "xdist", "-n", "2").assert_outcomes(passed=10)
