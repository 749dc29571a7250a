"""WW404: what a route needs is not said with `Security(…, scopes=[…])`: it is left out, or the caller may say it."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from fastapi.security import SecurityScopes

from watchword.check.callables import name_of
from watchword.check.model import Certainty, Found, Rule, Severity
from watchword.check.purposes import own_routes, resource_of
from watchword.check.routes import AppRoute, Dependency
from watchword.check.subject import Subject

_NEEDED: Final = re.compile(
    r"^((required|needed|allowed|min|minimum|user)_?)?(scopes?|roles?|permissions?|privileges?|access_level)$",
    re.IGNORECASE,
)
_ENOUGH_SIBLINGS: Final = 2


def check(subject: Subject) -> Iterator[Found]:
    """What callers may choose, each function once; then routes that ask for less than all of their siblings."""
    routes = own_routes(subject)
    seen: set[int] = set()
    for route in routes:
        for dependency in route.all_dependencies():
            if id(dependency.call) not in seen:
                seen.add(id(dependency.call))
                yield from _chosen_by_caller(dependency, subject)
    by_resource: dict[tuple[Path, str], list[AppRoute]] = defaultdict(list)
    for route in routes:
        by_resource[subject.location(route).path, resource_of(route)].append(route)
    for siblings in by_resource.values():
        for route in siblings:
            if any(dependency.sees_scopes and not dependency.scopes for dependency in route.all_dependencies()):
                yield from _asks_for_less(route, [other for other in siblings if other is not route], subject)


def _chosen_by_caller(dependency: Dependency, subject: Subject) -> Iterator[Found]:
    definition = subject.own(dependency.call)
    if definition is None:
        return
    name = name_of(dependency.call)
    if any(inner.call is SecurityScopes for inner in dependency.dependencies):
        message = f"{name} takes SecurityScopes with Depends(): callers write it into the request's body"
        yield Found(definition.location, message, Certainty.CERTAIN, severity=Severity.ERROR)
    if not subject.behaviours.when_called(dependency.call).refuses:
        return
    for parameter in dependency.parameters:
        if parameter.kind != "query" or not _NEEDED.match(parameter.name):
            continue
        taken = (n for n in ast.walk(definition.syntax) if isinstance(n, ast.arg) and n.arg == parameter.name)
        place = next(taken, None)
        if place is None or (place.annotation is not None and "None" in ast.unparse(place.annotation)):
            continue  # what may be left out is a filter
        message = f"{name} guards, and takes {parameter.name!r} from the query string: callers choose it"
        location = definition.source.location(place)
        yield Found(location, message, Certainty.LIKELY, severity=Severity.ERROR)


def _asks_for_less(route: AppRoute, siblings: list[AppRoute], subject: Subject) -> Iterator[Found]:
    """`Depends(get_user)` on a route, where all others of the resource ask the same function for scopes."""
    if len(siblings) < _ENOUGH_SIBLINGS or all(other.changes_state != route.changes_state for other in siblings):
        return  # reading may well be for every login where writing is not
    for dependency in route.all_dependencies():
        if not dependency.sees_scopes or dependency.scopes:
            continue
        asked = [scopes for other in siblings if (scopes := _asked_of(dependency, other))]
        if len(asked) == len(siblings):
            example = ", ".join(sorted(asked[0]))
            message = f"{route.name} uses {name_of(dependency.call)} without scopes, its siblings with ({example})"
            yield Found(subject.location(route), message, Certainty.LIKELY, route.name)
            return


def _asked_of(dependency: Dependency, route: AppRoute) -> frozenset[str]:
    return frozenset(
        scope for other in route.all_dependencies() if other.call is dependency.call for scope in other.scopes
    )


RULE = Rule(
    id="WW404",
    name="depends-where-security",
    severity=Severity.WARNING,
    summary="`Depends` where `Security(…, scopes=[…])` was meant",
    why=(
        "Depends cannot carry scopes: a guard under it is asked for none, and lets every login in. Written as a "
        "parameter of the guard instead, what is needed comes from the query string, and callers write it themselves."
    ),
    fix="Security(get_user, scopes=[…]) on the route, SecurityScopes in the guard; or a function that makes guards.",
    bad="""\
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPBearer

app = FastAPI()
ROLES = {"some-token": "editor"}


def has_role(role: str = "admin", token=Depends(HTTPBearer())):
    if ROLES.get(token.credentials) != role:
        raise HTTPException(403)


@app.get("/orders", dependencies=[Depends(has_role)])
def orders(): ...
""",
    good="""\
from fastapi import Depends, FastAPI, HTTPException, Security
from fastapi.security import HTTPBearer, SecurityScopes

app = FastAPI()
ROLES = {"some-token": "editor"}


def has_role(needed: SecurityScopes, token=Depends(HTTPBearer())):
    if ROLES.get(token.credentials) not in needed.scopes:
        raise HTTPException(403)


@app.get("/orders", dependencies=[Security(has_role, scopes=["admin"])])
def orders(): ...
""",
    references=("OWASP ASVS 10.3.2", "CWE-807"),
    check=check,
)
