"""Where a token goes that a function is given, and whether anything there could verify it."""

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from watchword.check.functions import called, is_function, parameters, passed
from watchword.check.source import FunctionNode, Node, arguments
from watchword.check.sources import Sources
from watchword.check.walking import walk

_HARMLESS: Final = re.compile(
    r"(print|len|str|repr|bool|isinstance|type|hasattr|getattr|\w*(Exception|Error)|HTTPException|\w*Response"
    r"|.*\blog(ger|ging)?\.\w+|logging\.\w+)"
)
_TEXT: Final = frozenset(dir(str)) | frozenset(dir(bytes))
_BEARER: Final = re.compile(r"\s*(bearer|token|basic|apikey|jwt|none|null|undefined|)\s*", re.IGNORECASE)
_OF_A_USER: Final = re.compile(r"user_?name|password|hashed_password|email|disabled|full_name|role")
_REQUEST: Final = re.compile(r"\b(request|websocket|httpconnection|conn)\b", re.IGNORECASE)
_DEPTH: Final = 6


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of a token.

    Attributes:
        may_be_verified: It is verified, or goes where nobody can follow it.
        is_returned: What the function returns is the token, or has it in it.
    """

    may_be_verified: bool
    is_returned: bool


def outcome(
    definition: Node[FunctionNode],
    tokens: frozenset[str],
    sources: Sources,
    *,
    bound: Mapping[str, Node[Any]] | None = None,
    depth: int = 0,
) -> Outcome:
    """What a function does with a token.

    Args:
        definition: It.
        tokens: Its parameters that are the token.
        sources: The app's files.
        bound: What its other parameters are, where that is known.
        depth: How many functions the token has been through.
    """
    if depth > _DEPTH:
        return Outcome(may_be_verified=True, is_returned=True)
    return _Flow(definition, set(tokens), sources, bound or {}, depth).outcome()


def reads_header(node: ast.AST) -> bool:
    """Whether an expression takes the Authorization header of a request."""
    match node:
        case (
            ast.Subscript(value=ast.Attribute(attr="headers"), slice=ast.Constant(value=str(name)))
            | ast.Call(
                func=ast.Attribute(value=ast.Attribute(attr="headers"), attr="get"),
                args=[ast.Constant(value=str(name)), *_],
            )
        ):
            return name.lower() == "authorization"
    return False


class _Flow:
    def __init__(
        self,
        definition: Node[FunctionNode],
        tokens: set[str],
        sources: Sources,
        bound: Mapping[str, Node[Any]],
        depth: int,
    ) -> None:
        self._source, self._function = definition.source, definition.syntax
        self._tokens, self._sources, self._bound, self._depth = tokens, sources, bound, depth
        self._inner: dict[ast.Call, Outcome] = {}

    def outcome(self) -> Outcome:
        before = -1
        while before != len(self._tokens):
            before = len(self._tokens)
            self._spread()
        nodes = [node for statement in self._function.body for node in ast.walk(statement)]
        is_returned = any(
            isinstance(node, ast.Return | ast.Yield) and node.value is not None and self._carries(node.value)
            for node in nodes
        )
        return Outcome(any(self._may_verify(node) for node in nodes), is_returned)

    def _spread(self) -> None:
        for node in walk(self._function):
            match node:
                case ast.Assign(targets=targets, value=value) if self._carries(value):
                    self._tokens.update(name for target in targets for name in _names(target))
                case ast.AnnAssign(target=target, value=ast.expr() as value) if self._carries(value):
                    self._tokens.update(_names(target))
                case ast.NamedExpr(target=target, value=value) if self._carries(value):
                    self._tokens.add(target.id)

    def _carries(self, node: ast.expr) -> bool:
        """Whether the value of an expression is the token, a part of it, or has it in it."""
        match node:
            case _ if reads_header(node):
                return True
            case ast.Name(id=name):
                return name in self._tokens
            case ast.Attribute(value=value) | ast.Subscript(value=value) | ast.Await(value=value):
                return self._carries(value)
            case ast.Call():
                return self._gives_back(node)
            case ast.Compare() | ast.Lambda() | ast.Constant():
                return False
        return any(
            self._carries(child.value if isinstance(child, ast.keyword) else child)
            for child in ast.iter_child_nodes(node)
            if isinstance(child, ast.expr)
        )

    def _gives_back(self, call: ast.Call) -> bool:
        """Whether what a call returns is the token, or has it in it."""
        if self._is_part(call):
            return True
        if not any(self._mentions(value) for value in arguments(call)):
            return False
        if (inner := self._called(call)) is not None:
            return inner.is_returned
        return self._is_own_class(call) or getattr(call.func, "id", "") in {"str", "cast"}

    def _is_part(self, call: ast.Call) -> bool:
        """Whether a call is a method of text on the token: `token.removeprefix(…)`."""
        func = call.func
        return isinstance(func, ast.Attribute) and func.attr in _TEXT and self._carries(func.value)

    def _mentions(self, node: ast.AST) -> bool:
        return any((isinstance(n, ast.Name) and n.id in self._tokens) or reads_header(n) for n in ast.walk(node))

    def _may_verify(self, node: ast.AST) -> bool:
        match node:
            case ast.Call():
                return not reads_header(node) and self._call_may_verify(node)
            case ast.Compare():
                return self._comparison_verifies(node)
            case ast.Subscript(value=value, slice=key) if self._mentions(key):
                return not self._carries(value) and not self._is_users(value)
            case ast.Assign(targets=targets, value=value) if self._carries(value):
                return any(isinstance(target, ast.Attribute | ast.Subscript) for target in targets)
            case ast.Match(subject=subject):
                return self._mentions(subject)
        return False

    def _call_may_verify(self, call: ast.Call) -> bool:
        func = call.func
        name = str(self._source.name_of(func) or getattr(func, "attr", ""))
        if self._is_part(call):
            return False
        if isinstance(func, ast.Attribute) and self._carries(func.value):
            return True  # a method of something that has the token
        if not any(self._mentions(value) for value in arguments(call)) or _HARMLESS.fullmatch(name):
            return False
        if isinstance(func, ast.Attribute) and func.attr in {"get", "pop"}:
            return not self._is_users(func.value)
        inner = self._called(call)
        return not self._is_own_class(call) if inner is None else inner.may_be_verified

    def _called(self, call: ast.Call) -> Outcome | None:
        """What a function of the app's own does with the token that it is passed."""
        if call in self._inner:
            return self._inner[call]
        function = called(self._source.node(call), self._sources)
        if function is None:
            return None
        self._inner[call] = Outcome(may_be_verified=True, is_returned=True)  # it may call itself
        given = passed(call, function)
        if given is not None:
            tokens = frozenset(name for name, value in given.items() if self._mentions(value))
            bound = {name: self._meant(value) for name, value in given.items()}
            self._inner[call] = outcome(function, tokens, self._sources, bound=bound, depth=self._depth + 1)
        return self._inner[call]

    def _is_own_class(self, call: ast.Call) -> bool:
        """Whether a call makes something of a class that only holds values."""
        found = self._sources.resolve(self._source.node(call.func)).syntax
        return isinstance(found, ast.ClassDef) and not any(is_function(statement) for statement in found.body)

    def _meant(self, node: ast.expr) -> Node[Any]:
        if isinstance(node, ast.Name) and node.id in self._bound:
            return self._bound[node.id]
        return self._sources.resolve(self._source.node(node))

    def _comparison_verifies(self, comparison: ast.Compare) -> bool:
        sides = [comparison.left, *comparison.comparators]
        if not any(self._carries(side) for side in sides):
            return False
        if isinstance(comparison.ops[0], ast.In | ast.NotIn):
            return not self._carries(sides[1]) and not self._is_users(sides[1])
        others = [self._meant(side).syntax for side in sides if not self._carries(side)]
        return not all(isinstance(other, ast.Constant) and _BEARER.fullmatch(str(other.value)) for other in others)

    def _is_users(self, container: ast.expr) -> bool:
        """Whether it is a dict of users, written down: who looks a user up by the token has not verified it."""
        found = self._meant(container).syntax
        if not isinstance(found, ast.Dict):
            return False
        return any(_OF_A_USER.fullmatch(text) for value in found.values for text in _fields(value))


def hands_on_request(definition: Node[FunctionNode]) -> bool:
    """Whether a function passes the whole request on, to what may take the token from it."""
    function = definition.syntax
    requests = {
        parameter.arg
        for parameter in parameters(function)
        if _REQUEST.search(ast.unparse(parameter.annotation) if parameter.annotation else parameter.arg)
    }
    calls = [node for node in walk(function) if isinstance(node, ast.Call)]
    return any(isinstance(value, ast.Name) and value.id in requests for call in calls for value in arguments(call))


def token_parameters(definition: Node[FunctionNode]) -> frozenset[str]:
    """Its parameters that are the Authorization header."""
    function = definition.syntax
    names = [parameter for parameter in parameters(function) if parameter.arg == "authorization"]
    return frozenset(parameter.arg for parameter in names if "Header" in ast.unparse(function.args))


def _names(target: ast.AST) -> list[str]:
    return [node.id for node in ast.walk(target) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]


def _fields(value: ast.expr) -> list[str]:
    if isinstance(value, ast.Dict):
        return [str(key.value) for key in value.keys if isinstance(key, ast.Constant)]
    return [keyword.arg or "" for keyword in value.keywords] if isinstance(value, ast.Call) else []
