"""What a login does in which order: whether there is such a user, and whether the password is theirs."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from watchword.check.call_graph import made_elsewhere, nodes_of
from watchword.check.password_calls import PasswordCalls, is_password, last_name
from watchword.check.read_by_hand import is_body
from watchword.check.source import FunctionNode, Node, arguments
from watchword.check.subject import Subject

_MAKES: Final = re.compile(
    r"_*((hash|encrypt|create|register|add|insert|update|set|change|reset|save|make|generate)(_\w+)?|get_(\w+_)?hash)"
)
"""Names of what hashes a password to keep it, and not to compare it."""


@dataclass(frozen=True, slots=True, eq=False)
class UnknownUser:
    """Where a function turns away a user that does not exist, and where it verifies the password of one that does.

    Attributes:
        test: What tells that there is no such user.
        body: What is done then; empty where the rest of the same condition is only skipped.
        verification: The call that verifies the password.
    """

    test: Node[Any]
    body: tuple[ast.stmt, ...]
    verification: Node[ast.Call]


def login_functions(subject: Subject) -> Iterator[Node[FunctionNode]]:
    """Functions that may run when somebody logs in, or sends a password with each request; each once."""
    seen: set[ast.AST] = set()
    calls = {dependency.call for route in subject.routes for dependency in route.all_dependencies()}
    calls.update(layer for route in subject.routes for layer in route.layers())
    calls.update(route.endpoint for route in subject.login_routes)
    own = sorted((node for call in calls if (node := subject.own(call)) is not None), key=_place)
    for start in own:
        for function in subject.calls.reached(start):
            if function.syntax not in seen:
                seen.add(function.syntax)
                yield function


def unknown_users(function: Node[FunctionNode], passwords: PasswordCalls) -> Iterator[UnknownUser]:
    """Where a function turns away unknown users before it verifies a password."""
    verifications = [call for call in nodes_of(function, ast.Call) if is_verification(call, passwords)]
    for verification in verifications:
        names = _users(function, verification)
        for branch in nodes_of(function, ast.If):
            is_before = branch.syntax.end_lineno < verification.syntax.lineno
            if is_before and _asks(missing(branch.syntax.test), names) and _leaves(branch):
                yield UnknownUser(branch, tuple(branch.syntax.body), verification)
            elif _holds(branch.syntax.body, verification) and _asks(present(branch.syntax.test), names):
                yield UnknownUser(branch, (), verification)
        for condition in nodes_of(function, ast.BoolOp):
            for before, value in zip(condition.syntax.values, condition.syntax.values[1:], strict=False):
                is_or = isinstance(condition.syntax.op, ast.Or)
                parts = missing(before) if is_or else present(before)
                if _holds([value], verification) and _asks(parts, names):
                    yield UnknownUser(condition, (), verification)


def is_verification(call: Node[ast.Call], passwords: PasswordCalls) -> bool:
    """Whether a call compares a password that came in with one that is kept, slowly."""
    made = made_elsewhere(call)
    func = made.syntax.func
    if _MAKES.fullmatch(getattr(func, "attr", getattr(func, "id", ""))):
        return False
    names = [last_name(value) for value in arguments(made.syntax)]
    return any(is_password(name) or "passw" in name.lower() for name in names) and passwords.comes_to_hash(call)


def missing(test: ast.expr) -> Iterator[ast.expr]:
    """The expressions whose absence makes a condition true."""
    match test:
        case ast.BoolOp(op=ast.Or(), values=values):
            for value in values:
                yield from missing(value)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield from present(operand)
        case ast.Compare(left=left, ops=[ast.Is() | ast.Eq()], comparators=[ast.Constant(value=None | "")]):
            yield left
        case ast.Compare(ops=[ast.NotIn()], comparators=[container]):
            yield container


def present(test: ast.expr) -> Iterator[ast.expr]:
    """The expressions whose presence makes a condition true, or is needed for it."""
    match test:
        case ast.BoolOp(op=ast.And(), values=values):
            for value in values:
                yield from present(value)
        case ast.Compare(left=left, ops=[ast.IsNot() | ast.NotEq()], comparators=[ast.Constant(value=None | "")]):
            yield left
        case ast.Compare(ops=[ast.In()], comparators=[container]):
            yield container
        case ast.Name() | ast.Attribute() | ast.Subscript():
            yield test
        case ast.NamedExpr(target=target):
            yield target


def root(node: ast.AST) -> str:
    """The variable that an expression starts from: `user` of `user.hashed_password`."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Await):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _users(function: Node[FunctionNode], verification: Node[ast.Call]) -> set[str]:
    """The variables that hold whom a password is verified for, and not what came in: that is not looked up."""
    verification = made_elsewhere(verification)
    values = arguments(verification.syntax)
    assigned = function.source.assigned_in(function.syntax)
    forms = {root(value) for value in values if is_password(last_name(value))}
    if len(forms) > 1:  # `verify(password, user.password)`: one of them is kept, under the same name
        forms = {name for name in forms if not _is_looked_up(assigned.get(name))}
    names = {root(value) for value in values if not isinstance(value, ast.Name)}
    names |= {value.id for value in values if isinstance(value, ast.Name) and _is_looked_up(assigned.get(value.id))}
    if isinstance(verification.syntax.func, ast.Attribute):
        names.add(root(verification.syntax.func.value))
    for value in [assigned[name] for name in names if name in assigned]:
        names |= {root(inner) for inner in ast.walk(value) if isinstance(inner, ast.Subscript)}
    for value in values:
        if isinstance(value, ast.Name) and isinstance(kept := assigned.get(value.id), ast.Attribute):
            names.add(root(kept))
    return names - forms - {"", "self", "cls"}


def _is_looked_up(value: ast.expr | None) -> bool:
    """Whether a value is fetched: no text that came in and was only trimmed, and no body."""
    match value:
        case ast.Call(func=ast.Name(id="str") | ast.Attribute(attr="strip" | "lower" | "casefold" | "encode")):
            return False
        case ast.Call() | ast.Await() | ast.Subscript():
            return not is_body(value)
    return False


def _asks(parts: Iterator[ast.expr], names: set[str]) -> bool:
    """Whether a condition asks for one of these themselves: an attribute of a user tells no unknown one."""
    return any(isinstance(part, ast.Name) and part.id in names for part in parts)


def _leaves(branch: Node[ast.If]) -> bool:
    return isinstance(branch.syntax.body[-1], ast.Return | ast.Raise)


def _holds(body: list[Any], call: Node[ast.Call]) -> bool:
    return any(inner is call.syntax for syntax in body for inner in ast.walk(syntax))


def _place(node: Node[Any]) -> tuple[str, int]:
    return (str(node.source.path), node.syntax.lineno)
