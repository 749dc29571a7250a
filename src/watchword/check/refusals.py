"""How code refuses callers, read in its syntax."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from watchword.check.jwt_calls import DECODE
from watchword.check.source import Node, Source, texts_in
from watchword.check.sources import Sources

_REFUSING: Final = re.compile(
    r"unauthori[sz]ed|forbidden|unauthenticated|not_?authenticated|not_?authori[sz]ed|permission|access_?denied|auth\w*error"
    r"|auth\w*exception|auth\w*fail|auth\w*required|credential|invalid_?(token|api_?key|signature|session)|login_?required"
    r"|requires?_?login|not_?logged_?in|token_?(error|expired|invalid)|jwt_?error|http_?40[13]",
    re.IGNORECASE,
)
_ABOUT_CREDENTIALS: Final = re.compile(
    r"\b(token|api[- ]?key|signature|credentials?|unauthori[sz]ed|not authenticated)\b", re.IGNORECASE
)
_STATUSES: Final = frozenset({401, 403})
_BAD_REQUEST: Final = 400
_REDIRECTS: Final = range(300, 400)
_POLICY_VIOLATION: Final = frozenset({1008, 3000, 3003, *range(4000, 5000)})
_RESPONSES: Final = re.compile(r"^abort$|Response$")
_VERIFIES: Final = re.compile(r"^(verify|validate|check)_?(id_?|access_?|auth_?)?(token|jwt|signature|request)$")


@dataclass(frozen=True)
class RefusalReader:
    """Sees refusals: 401 and 403, errors that say so, a WebSocket closed for policy, people sent to the login page."""

    sources: Sources

    def of(self, source: Source, node: ast.AST) -> frozenset[int] | None:
        """The statuses with which a node refuses, as far as they can be read; None if it does not."""
        match node:
            case ast.Raise(exc=ast.expr() as raised):
                return self._raised(Node(source, raised))
            case ast.Call(func=ast.Attribute(attr="close", value=closed)) as call:
                return frozenset() if self._closes_for_policy(source, call, closed) else None
            case ast.Call() as call:
                is_response = _RESPONSES.search(_last(source.name_of(call.func))) is not None
                is_returned = isinstance(next(source.parents(call), None), ast.Return)
                answer = self._answer(Node(source, call)) if is_response or is_returned else None
                return frozenset() if answer is None and self._verifies(source, call) else answer
            case ast.Dict(keys=keys, values=values):  # an answer as ASGI has it
                named = {getattr(key, "value", None): value for key, value in zip(keys, values, strict=True)}
                if "type" in named and "status" in named:
                    return _STATUSES & {self._status(Node(source, named["status"])) or 0} or None
        return None

    def _raised(self, raised: Node[Any]) -> frozenset[int] | None:
        found = self.sources.resolve(raised)
        if isinstance(found.syntax, ast.Call):
            answer = self._answer(found)
            if answer is not None:
                return answer
            made_by = self.sources.resolve(Node(found.source, found.syntax.func))
            names = [_last(found.source.name_of(found.syntax.func))]
        else:
            made_by = found
            names = [_last(raised.source.name_of(raised.syntax))]
        statuses: frozenset[int] = frozenset()
        for above in self._with_bases(made_by):
            names.append(above.syntax.name)
            statuses |= _STATUSES.intersection(
                self._status(above.source.node(value)) or 0 for value in _values(above.syntax) if value is not None
            )
        return statuses if statuses or any(_REFUSING.search(name) for name in names) else None

    def _with_bases(self, node: Node[Any]) -> Iterator[Node[ast.ClassDef]]:
        """A class of the app's own, and those above it."""
        if isinstance(node.syntax, ast.ClassDef):
            yield node
            for base in node.syntax.bases:
                above = self.sources.resolve(Node(node.source, base))
                if above.syntax is not node.syntax:
                    yield from self._with_bases(above)

    def _answer(self, found: Node[ast.Call]) -> frozenset[int] | None:
        """The statuses of a response, or of an `HTTPException`."""
        call = found.syntax
        values = [*call.args, *(k.value for k in call.keywords if k.arg in {"status_code", "status", "code"})]
        numbers = {self._status(Node(found.source, value)) or 0 for value in values}
        if statuses := _STATUSES & numbers:
            return statuses
        if _POLICY_VIOLATION & numbers:
            return frozenset()
        name = _last(found.source.name_of(call.func))
        texts = texts_in(call)
        redirects = "Redirect" in name or any(number in _REDIRECTS for number in numbers)
        if redirects and any(re.search(r"log_?in|sign_?in", text) for text in texts):
            return frozenset()
        if _BAD_REQUEST in numbers and any(_ABOUT_CREDENTIALS.search(text) for text in texts):
            return frozenset()
        return None

    def _closes_for_policy(self, source: Source, call: ast.Call, closed: ast.expr) -> bool:
        codes = [*call.args[:1], *(k.value for k in call.keywords if k.arg == "code")]
        if any(self._status(Node(source, code)) in _POLICY_VIOLATION for code in codes):
            return True
        # without a code: a refusal where it depends on something
        is_websocket = _last(source.name_of(closed)) in {"websocket", "ws"}
        return is_websocket and any(isinstance(parent, ast.If | ast.ExceptHandler) for parent in source.parents(call))

    def _verifies(self, source: Source, call: ast.Call) -> bool:
        """Whether a library verifies something there, and nobody catches what it raises."""
        name = source.name_of(call.func) or ""
        if name not in DECODE and not _VERIFIES.search(_last(name)):
            return False
        if isinstance(self.sources.resolve(Node(source, call.func)).syntax, ast.FunctionDef | ast.AsyncFunctionDef):
            return False  # the app's own, which is read
        if isinstance(call.func, ast.Attribute) and _last(source.name_of(call.func.value)) in {"self", "cls"}:
            return False
        return not any(isinstance(parent, ast.Try) and parent.handlers for parent in source.parents(call))

    def _status(self, value: Node[Any]) -> int | None:
        """The status a value stands for: a number, `status.HTTP_401_UNAUTHORIZED`, `HTTPStatus.UNAUTHORIZED`."""
        match value.syntax:
            case ast.Constant(value=int() as number):
                return number
            case ast.Attribute(value=inner, attr="value"):
                return self._status(Node(value.source, inner))
            case ast.Attribute(attr=name) | ast.Name(id=name):
                if (digits := re.search(r"(?:HTTP|WS)_(\d{3,4})_", name)) is not None:
                    return int(digits[1])
                if name in {"UNAUTHORIZED", "FORBIDDEN"}:
                    return 401 if name == "UNAUTHORIZED" else 403
                found = self.sources.resolve(value).syntax
                return found.value if isinstance(found, ast.Constant) and isinstance(found.value, int) else None
        return None


def _values(definition: ast.ClassDef) -> Iterator[ast.expr | None]:
    """What a class gives its fields, and passes on in its methods."""
    for node in ast.walk(definition):
        if isinstance(node, ast.Assign | ast.AnnAssign):
            yield node.value
        elif isinstance(node, ast.Call):
            yield from node.args
            yield from (keyword.value for keyword in node.keywords)
        elif isinstance(node, ast.FunctionDef):
            yield from (*node.args.defaults, *node.args.kw_defaults)


def _last(name: str | None) -> str:
    return (name or "").rpartition(".")[2]
