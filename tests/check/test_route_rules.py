"""How bad and how sure the rules about routes say their findings are, and where they see them."""

from pathlib import Path

import pytest

from tests.check.conftest import Check, Package
from watchword.check.load import load
from watchword.check.model import Certainty, Finding, Severity
from watchword.check.rules import RULES
from watchword.check.rules import ww112_cors_any_origin_with_credentials as ww112
from watchword.check.subject import Subject

EXAMPLES = Path(__file__).parent / "examples"


def finding_in(example: str, check_file: Check) -> Finding:
    wanted = example.partition("/")[0]
    (finding,) = check_file(EXAMPLES / f"{example}.py", *(rule for rule in RULES if rule.id == wanted)).findings
    return finding


@pytest.mark.parametrize(
    ("example", "severity", "certainty", "says"),
    [
        ("WW110/bad_plain_parameter", Severity.WARNING, Certainty.CERTAIN, "'token' from the query string of GET /me"),
        ("WW110/bad_websocket", Severity.NOTE, Certainty.POSSIBLE, "WEBSOCKET /ws"),
        ("WW112/bad_list_in_a_variable", Severity.ERROR, Certainty.CERTAIN, "any origin"),
        ("WW112/bad_from_settings", Severity.ERROR, Certainty.LIKELY, "any origin"),
        ("WW112/bad_pattern", Severity.NOTE, Certainty.POSSIBLE, "no cookie login was found"),
        ("WW112/bad_cookie_of_the_site", Severity.NOTE, Certainty.POSSIBLE, "SameSite on its login cookie"),
        ("WW112/bad_cookies_are_handed_on", Severity.ERROR, Certainty.LIKELY, "unless its login cookie is SameSite"),
        ("WW401/bad_one_was_forgotten", Severity.ERROR, Certainty.LIKELY, "while GET /api/v1/items/ is guarded"),
        ("WW401/bad_optional_user", Severity.WARNING, Certainty.LIKELY, "nothing guards POST /comments"),
        ("WW401/bad_guests_pay", Severity.WARNING, Certainty.LIKELY, "nothing guards POST /invoices/{number}/pay"),
        ("WW401/bad_whole_router", Severity.WARNING, Certainty.POSSIBLE, "nothing guards any route of this router"),
        ("WW401/bad_no_login_at_all", Severity.NOTE, Certainty.POSSIBLE, "no guard was found on any route"),
        ("WW403/bad_declared_only", Severity.WARNING, Certainty.LIKELY, "declares items:read, items:write, and"),
        ("WW403/bad_guard_cannot_see_them", Severity.ERROR, Certainty.CERTAIN, "get_active_user for items, me"),
        (
            "WW403/bad_guard_does_not_look",
            Severity.ERROR,
            Certainty.CERTAIN,
            "for items, and it takes SecurityScopes but",
        ),
        ("WW404/bad_role_of_a_partial", Severity.ERROR, Certainty.LIKELY, "'role' from the query string"),
        ("WW404/bad_one_without_scopes", Severity.WARNING, Certainty.LIKELY, "DELETE /orders/{id} uses get_user"),
        ("WW405/bad_new_and_public", Severity.ERROR, Certainty.CERTAIN, "GET /orders/export is public and new"),
        ("WW405/bad_scope_is_gone", Severity.ERROR, Certainty.CERTAIN, "DELETE /orders asks for admin no more"),
        (
            "WW405/bad_scoped_is_now_authenticated",
            Severity.ERROR,
            Certainty.CERTAIN,
            "POST /orders asks for orders:write no more",
        ),
    ],
)
def test_a_finding_is_as_bad_and_as_sure_as_what_was_seen(
    example: str, severity: Severity, certainty: Certainty, says: str, check_file: Check
) -> None:
    finding = finding_in(example, check_file)
    assert (finding.rule.severity, finding.certainty) == (severity, certainty)
    assert says in finding.message


@pytest.mark.parametrize(
    ("example", "line"),
    [
        ("WW110/bad_plain_parameter", "def current_user(token: str)"),
        ("WW110/bad_read_from_the_request", "request.query_params.get(PARAMETER)"),
        ("WW110/bad_api_key_query", "APIKeyQuery("),
        ("WW112/bad_from_settings", "api.add_middleware("),
        ("WW401/bad_whole_router", 'APIRouter(prefix="/admin")'),
        ("WW403/bad_declared_only", "bearer = OAuth2PasswordBearer("),
        ("WW404/bad_role_of_a_partial", "def require_role(role: str"),
    ],
)
def test_a_finding_stands_where_it_is_mended(example: str, line: str, check_file: Check) -> None:
    finding = finding_in(example, check_file)
    assert line in finding.location.path.read_text().splitlines()[finding.location.line - 1]


def test_a_public_webhook_is_not_taken_for_a_forgotten_guard(check_text: Check) -> None:
    text = """
from fastapi import Depends, FastAPI
from fastapi.security import HTTPBearer
app = FastAPI()

@app.get("/orders", dependencies=[Depends(HTTPBearer())])
def orders(): ...

@app.post("/orders/webhook")
def paid(order: int): ...
"""
    (finding,) = check_text(text, *(rule for rule in RULES if rule.id == "WW401")).findings
    assert (finding.rule.severity, finding.certainty) == (Severity.WARNING, Certainty.POSSIBLE)


def test_a_login_that_a_library_adds_is_no_newly_public_route(check_text: Check) -> None:
    text = """\
# watchword-routes.toml
# version = 1
# [routes]
from fastapi import FastAPI
from fastapi_users import FastAPIUsers, schemas
from fastapi_users.authentication import AuthenticationBackend, BearerTransport, JWTStrategy
backend = AuthenticationBackend(
    name="jwt", transport=BearerTransport(tokenUrl="login"), get_strategy=lambda: JWTStrategy("k" * 32, 60)
)
def get_user_manager(): ...
app = FastAPI()
app.include_router(FastAPIUsers(get_user_manager, [backend]).get_auth_router(backend))
"""
    assert check_text(text, *(rule for rule in RULES if rule.id == "WW405")).findings == ()


def test_cors_that_a_shared_package_adds_is_found_where_it_does(package: Package) -> None:
    package(
        "cors_common",
        __init__="from fastapi.middleware.cors import CORSMiddleware\n\ncors = CORSMiddleware(None)\n\n\n"
        "def configure(app):\n"
        '    app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_credentials=True)\n',
    )
    package(
        "cors_server",
        __init__="from cors_common import configure\nfrom fastapi import FastAPI\n\napp = FastAPI()\nconfigure(app)\n",
    )
    (found,) = ww112.check(Subject.of(load("cors_server:app")))
    assert (found.location.path.parent.name, found.location.line) == ("cors_common", 7)
