"""What rules about tokens and keys say, and how often."""

from pathlib import Path

import pytest

from tests.check.conftest import Check
from watchword.check.model import Certainty
from watchword.check.rules import (
    ww201_token_never_verified,
    ww204_jwt_signature_not_verified,
    ww206_jwt_encode_without_exp,
    ww207_naive_utcnow_in_claims,
    ww208_secret_in_source,
    ww209_well_known_secret,
    ww210_short_secret,
    ww211_python_jose,
    ww212_no_revocation,
)

EXAMPLES = Path(__file__).parent / "examples"
SECRETS = (ww208_secret_in_source.RULE, ww209_well_known_secret.RULE, ww210_short_secret.RULE)

DECODING = """
import jwt
from fastapi import FastAPI

app = FastAPI()
SECRET_KEY = {secret!r}


def claims(token: str):
    return jwt.decode(token, SECRET_KEY, algorithms=["HS256"])


def sign(claims: dict):
    return jwt.encode(claims, SECRET_KEY, algorithm="HS256")
"""
SIGNING = """
import time
from datetime import datetime, timedelta, timezone
import jwt
from fastapi import FastAPI

app = FastAPI()


def sign(key: str):
    return jwt.encode({{"sub": "alice", "exp": {exp}}}, key, algorithm="HS256")
"""


@pytest.mark.parametrize(
    ("secret", "rule"),
    [
        ("changethis", "WW209"),
        ("09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7", "WW209"),
        ("CHANGE_ME", "WW209"),
        ("your-256-bit-secret", "WW209"),
        ("supersecretkey123", "WW209"),
        ("please_please_update_me_please", "WW209"),
        ("this-is-a-very-long-secret-key-for-development-only", "WW209"),
        ("Tr0ub4dor&3", "WW210"),
        ("51d2e8460bb1a7c5e9f0d3846227ab7f3c9a", "WW208"),
    ],
)
def test_a_key_in_the_source_is_found_by_the_one_rule_that_says_the_worst_of_it(
    secret: str, rule: str, check_text: Check
) -> None:
    assert [f.rule.id for f in check_text(DECODING.format(secret=secret), *SECRETS).findings] == [rule]


@pytest.mark.parametrize("path", sorted(p for r in SECRETS for p in (EXAMPLES / r.id).glob("bad*.py")), ids=str)
def test_no_message_has_the_secret_in_it(path: Path, check_file: Check) -> None:
    findings = check_file(path, *SECRETS).findings
    line = path.read_text().splitlines()[findings[0].location.line - 1]
    secret = max(line.split('"')[1::2], key=len)
    if secret != "SECRET":  # fastapi-users' documentation calls it what it is
        assert secret not in findings[0].message


def test_a_default_that_the_environment_may_override_is_less_certain_than_a_constant(check_text: Check) -> None:
    text = DECODING.replace("SECRET_KEY = {secret!r}", 'import os\nSECRET_KEY = os.getenv("SECRET_KEY", {secret!r})')
    (finding,) = check_text(text.format(secret="Tr0ub4dor&3"), *SECRETS).findings
    assert (finding.certainty, finding.message) == (
        Certainty.LIKELY,
        "the default of SECRET_KEY has 11 bytes, and needs 32",
    )


@pytest.mark.parametrize(
    ("exp", "says"),
    [
        ("datetime.utcnow() + timedelta(minutes=5)", "right by accident"),
        ("datetime.now() + timedelta(minutes=5)", "is local time, and PyJWT reads it as UTC"),
        ("datetime.now().replace(tzinfo=timezone.utc)", "is local time, and PyJWT reads it as UTC"),
        ("datetime.utcnow().timestamp()", "takes it for local time"),
        ("datetime.utcnow().astimezone(timezone.utc)", "takes it for local time"),
    ],
)
def test_each_naive_time_is_called_by_what_becomes_of_it(exp: str, says: str, check_text: Check) -> None:
    (finding,) = check_text(SIGNING.format(exp=exp), ww207_naive_utcnow_in_claims.RULE).findings
    assert says in finding.message


@pytest.mark.parametrize(("installed", "says"), [("3.3.0", "which has CVE-2024-33663"), ("3.5.0", "are mended")])
def test_of_python_jose_is_said_what_is_true_of_the_installed_version(
    installed: str, says: str, check_text: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ww211_python_jose, "version", lambda _name: installed)
    (finding,) = check_text(ww211_python_jose.RULE.bad, ww211_python_jose.RULE).findings
    assert says in finding.message


@pytest.mark.parametrize(("installed", "found"), [("1.7.1", 1), ("2.10.0", 0)])
def test_verify_false_is_found_only_where_the_installed_pyjwt_obeys_it(
    installed: str, found: int, check_text: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = ww204_jwt_signature_not_verified.RULE
    text = rule.bad.replace('options={"verify_signature": False}', "verify=False")
    monkeypatch.setattr(ww204_jwt_signature_not_verified, "version", lambda _name: installed)
    assert len(check_text(text, rule).findings) == found


def test_what_a_developer_says_a_proxy_verified_is_only_possible(check_text: Check) -> None:
    rule = ww204_jwt_signature_not_verified.RULE
    text = rule.bad.replace("    return jwt", '    """The proxy has verified it."""\n    return jwt')
    (finding,) = check_text(text, rule).findings
    assert finding.certainty is Certainty.POSSIBLE


def test_a_scheme_that_many_handlers_rely_on_is_one_finding(check_text: Check) -> None:
    handlers = "".join(f'\n\n@app.get("/{n}")\ndef get_{n}(token=Depends(bearer)):\n    return {n}\n' for n in range(9))
    text = "from fastapi import Depends, FastAPI\nfrom fastapi.security import HTTPBearer\n\n"
    (finding,) = check_text(
        f"{text}app = FastAPI()\nbearer = HTTPBearer()\n{handlers}", ww201_token_never_verified.RULE
    ).findings
    assert finding.message.startswith("GET /0 and 8 more routes let in")


def test_a_literal_that_takes_the_place_of_a_missing_key_is_a_default(check_file: Check) -> None:
    (finding,) = check_file(EXAMPLES / "WW208" / "bad_fallback.py", *SECRETS).findings
    assert (finding.certainty, finding.message) == (Certainty.LIKELY, "the default of JWT_KEY stands in the source")


def test_where_some_callers_pass_an_expiry_those_that_do_not_are_found(check_text: Check) -> None:
    text = """
import time
import jwt
from fastapi import FastAPI

app = FastAPI()


def sign(claims: dict, key: str):
    return jwt.encode(claims, key, algorithm="HS256")


def access(user: str):
    return sign({"sub": user, "exp": int(time.time()) + 60}, "k")


def refresh(user: str):
    return sign({"sub": user}, "k")
"""
    (finding,) = check_text(text, ww206_jwt_encode_without_exp.RULE).findings
    assert finding.location.line == text.splitlines().index('    return sign({"sub": user}, "k")') + 1


def test_a_lifetime_that_is_known_is_told(check_text: Check) -> None:
    (finding,) = check_text(ww212_no_revocation.RULE.bad, ww212_no_revocation.RULE).findings
    assert finding.message.endswith("nothing ends tokens for the 7 days that they are valid")
