"""WW405: a route that is more open than `watchword-routes.toml` says."""

from collections.abc import Iterator

from watchword.check.callables import package_of
from watchword.check.model import Certainty, Found, Rule, Severity
from watchword.check.subject import Subject

_PUBLIC_BY_NATURE = frozenset({"watchword", "fastapi_users"})


def check(subject: Subject) -> Iterator[Found]:
    """Each route that opened, if somebody kept who might use which."""
    if subject.baseline is None:
        return
    for route in subject.routes:
        if route.is_from_framework:
            continue
        for name, difference in subject.baseline.opened(route, subject.protection(route)):
            if name not in subject.baseline.routes and package_of(route.endpoint) in _PUBLIC_BY_NATURE:
                continue  # a login that was added
            message = f"{name} {difference}; watchword-routes.toml does not allow it"
            yield Found(subject.location(route), message, Certainty.CERTAIN, name)


RULE = Rule(
    id="WW405",
    name="newly-public-route",
    severity=Severity.ERROR,
    summary="A route is more open than the committed `watchword-routes.toml` says",
    why=(
        "A guard gets lost when a router is moved or a parameter is taken out, and no test notices: the answers are as "
        "good as before. What was decided once stays decided, until somebody changes the file in a review."
    ),
    fix="Guard the route; if it is meant to be open, write the file anew with --write-baseline and have it reviewed.",
    bad="""\
# watchword-routes.toml
# version = 1
# [routes]
# "GET /orders" = "authenticated"
from fastapi import Depends, FastAPI
from fastapi.security import HTTPBearer

app = FastAPI()
bearer = HTTPBearer()


@app.get("/orders")
def orders(): ...
""",
    good="""\
# watchword-routes.toml
# version = 1
# [routes]
# "GET /orders" = "authenticated"
from fastapi import Depends, FastAPI
from fastapi.security import HTTPBearer

app = FastAPI()
bearer = HTTPBearer()


@app.get("/orders", dependencies=[Depends(bearer)])
def orders(): ...
""",
    references=("CWE-306",),
    check=check,
)
