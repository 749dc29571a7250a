"""Whether anybody validates the claims of a token, which Authlib and joserfc leave to whoever has it decoded."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from watchword.check.claims import SOMEBODY
from watchword.check.functions import callers, own_statements
from watchword.check.source import FunctionNode, Node
from watchword.check.sources import Sources

_VALIDATES: Final = re.compile(r"validat|verif|expir", re.IGNORECASE)
_SAYS_WHEN_IT_ENDS: Final = frozenset({"exp", "jti", "sid"})
"""The expiry itself, and the names of a row that may have it."""
_HARMLESS: Final = re.compile(r"print|len|str|repr|bool|isinstance|(.*\.)?log(ger|ging)?\.\w+")
_DEPTH: Final = 3  # from function to the functions that call it


@dataclass
class _Holder:
    """What a function does with a token that was decoded.

    Attributes:
        reads: The claims that it takes out.
        is_returned: Whether it hands the whole on to whoever calls it.
        may_validate: Whether it validates it, asks when it ends, or sends it where it cannot be followed.
    """

    reads: set[str] = field(default_factory=set)
    is_returned: bool = False
    may_validate: bool = False


def is_believed(call: Node[ast.Call], sources: Sources) -> bool:
    """Whether claims that stand for somebody are taken from what a call decoded, and nothing asks when they end."""
    holders = list(_holders(call, sources, 0))
    if any(holder.may_validate for holder in holders):
        return False
    return any(SOMEBODY.search(name) for holder in holders for name in holder.reads)


def _holders(call: Node[ast.Call], sources: Sources, depth: int) -> Iterator[_Holder]:
    """The function that a call stands in, and those that get what it returns."""
    function = call.source.function_of(call.syntax)
    if function is None or depth > _DEPTH:
        yield _Holder(may_validate=True)
        return
    holder = _Reader(call, function).read()
    yield holder
    if holder.is_returned:
        above = list(callers(call.source.node(function), sources))
        holder.may_validate |= not above
        for caller in above:
            yield from _holders(caller, sources, depth + 1)


class _Reader:
    def __init__(self, call: Node[ast.Call], function: FunctionNode) -> None:
        self._call, self._source = call.syntax, call.source
        self._statements = list(own_statements(function))
        self._names: set[str] = set()
        self._found = _Holder()

    def read(self) -> _Holder:
        before = -1
        while before != len(self._names):
            before = len(self._names)
            for node in self._statements:
                self._name(node)
        for node in self._statements:
            self._found.may_validate |= self._looks(node)
            if isinstance(node, ast.expr) and self._is_whole(node):
                self._use(node)
        return self._found

    def _name(self, node: ast.AST) -> None:
        match node:
            case ast.Assign(targets=targets, value=value) if self._is_whole(value):
                self._names.update(target.id for target in targets if isinstance(target, ast.Name))
            case (
                ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
                | ast.NamedExpr(target=ast.Name(id=name), value=value)
            ) if self._is_whole(value):
                self._names.add(name)

    def _is_whole(self, node: ast.expr) -> bool:
        """Whether an expression is all that was decoded, and not one claim."""
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                return name in self._names
            case ast.Attribute(value=value, attr="claims") | ast.Await(value=value) | ast.NamedExpr(value=value):
                return self._is_whole(value)
            case (
                ast.Call(func=ast.Name(id="dict"), args=[value])
                | ast.Call(func=ast.Attribute(value=value, attr="copy"))
            ):
                return node is self._call or self._is_whole(value)
        return node is self._call

    def _use(self, whole: ast.expr) -> None:
        parent = next(self._source.parents(whole))
        match parent:
            case ast.Subscript(slice=key):
                self._found.reads.add(str(getattr(key, "value", "")))
            case ast.Attribute(attr="get"):
                call = next(self._source.parents(parent))
                keys = call.args[:1] if isinstance(call, ast.Call) else []
                self._found.reads.update(str(getattr(key, "value", "")) for key in keys)
            case ast.Return():
                self._found.is_returned = True
            case ast.Call(func=func):
                name = self._source.name_of(func) or ""
                is_known = self._is_whole(parent) or _HARMLESS.fullmatch(name) is not None
                self._found.may_validate |= not is_known
            case ast.Attribute(attr="header"):
                pass
            case ast.Expr() | ast.If() | ast.UnaryOp() | ast.Compare() | ast.FormattedValue():
                pass
            case ast.Assign() | ast.AnnAssign() | ast.expr():
                self._found.may_validate |= not self._is_followed(parent)
            case _:
                self._found.may_validate = True

    def _is_followed(self, parent: ast.AST) -> bool:
        """Whether an assignment or an expression is one whose value is known to be the whole too."""
        if isinstance(parent, ast.expr):
            return self._is_whole(parent)
        targets = getattr(parent, "targets", [getattr(parent, "target", None)])
        return all(isinstance(target, ast.Name) for target in targets)

    def _looks(self, node: ast.AST) -> bool:
        """Whether a node names the expiry, or calls what says that it validates."""
        match node:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
                return node is not self._call and _VALIDATES.search(name) is not None
            case ast.Constant(value=name) | ast.Attribute(attr=name):
                return name in _SAYS_WHEN_IT_ENDS
        return False
