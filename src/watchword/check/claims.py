"""What is in the payload of a token: the dict that is signed, followed through the code that builds it."""

import ast
import re
from dataclasses import dataclass, field
from typing import Any, Final

from watchword.check.functions import called, is_function, own_statements, parameters, returned
from watchword.check.source import FunctionNode, Node, Source
from watchword.check.sources import Sources

_COPIES: Final = frozenset({"copy.copy", "copy.deepcopy", "fastapi.encoders.jsonable_encoder", "dict", "typing.cast"})
_READS: Final = frozenset({"print", "len", "str", "repr", "bool", "isinstance", "json.dumps", "sorted", "list", "set"})
_MODELS: Final = frozenset({"pydantic.BaseModel", "pydantic.main.BaseModel", "BaseModel", "object", "typing.TypedDict"})
_DUMPS: Final = frozenset({"model_dump", "dict", "_asdict"})
_DEPTH: Final = 12

SOMEBODY: Final = re.compile(
    r"^sub$|^id$|user|uid|_id$|e?mail|name|account|role|scope|login|member|admin", re.IGNORECASE
)
"""A claim that says who somebody is, or what they may."""


@dataclass
class Claims:
    """What is known of a payload.

    Attributes:
        values: Name of a claim to all that is put there, on any path.
        is_known: Whether all that it is built of could be read, parameters aside.
        parameters: The parameters it is built of too, and their functions.
    """

    values: dict[str, list[Node[ast.expr]]] = field(default_factory=dict)
    is_known: bool = True
    parameters: list[tuple[Node[FunctionNode], str]] = field(default_factory=list)


def claims_of(payload: Node[ast.expr], sources: Sources) -> Claims:
    """What is in a payload."""
    reader = _Reader(sources)
    reader.read(payload)
    return reader.claims


class _Reader:
    def __init__(self, sources: Sources) -> None:
        self.claims = Claims()
        self._sources = sources
        self._seen: set[tuple[ast.AST, str]] = set()
        self._depth = 0

    def read(self, node: Node[Any]) -> None:
        """Take in what a node puts into the payload."""
        self._depth += 1
        if self._depth > _DEPTH:
            self.claims.is_known = False
        else:
            self._read(node)
        self._depth -= 1

    def _read(self, node: Node[Any]) -> None:
        source, syntax = node.source, node.syntax
        match syntax:
            case ast.Dict():
                self._read_display(source.node(syntax))
            case ast.BinOp(op=ast.BitOr(), left=first, right=second) | ast.IfExp(body=first, orelse=second):
                self.read(source.node(first))
                self.read(source.node(second))
            case ast.BoolOp(values=values):
                for value in values:
                    self.read(source.node(value))
            case ast.Await(value=value):
                self.read(source.node(value))
            case ast.Constant(value=None):
                pass
            case ast.Call():
                self._read_call(source.node(syntax))
            case ast.Name():
                self._read_name(source.node(syntax))
            case _:
                self._read_elsewhere(node)

    def _read_display(self, node: Node[ast.Dict]) -> None:
        for key, value in zip(node.syntax.keys, node.syntax.values, strict=True):
            if key is None:
                self.read(node.source.node(value))
            else:
                self._add(node.source.node(key), node.source.node(value))

    def _add(self, key: Node[ast.expr], value: Node[ast.expr]) -> None:
        name = self._sources.constant(key)
        if isinstance(name, str):
            self.claims.values.setdefault(name, []).append(value)
        else:
            self.claims.is_known = False

    def _add_keywords(self, call: Node[ast.Call]) -> None:
        for keyword in call.syntax.keywords:
            if keyword.arg is None:
                self.read(call.source.node(keyword.value))
            else:
                self.claims.values.setdefault(keyword.arg, []).append(call.source.node(keyword.value))

    def _read_elsewhere(self, node: Node[Any]) -> None:
        found = self._sources.resolve(node)
        if found.syntax is node.syntax:
            self.claims.is_known = False
        else:
            self.read(found)

    def _read_call(self, call: Node[ast.Call]) -> None:
        source, syntax = call.source, call.syntax
        name = source.name_of(syntax.func) or ""
        if name in _COPIES:
            for value in syntax.args[-1:]:
                self.read(source.node(value))
            if name == "dict":
                self._add_keywords(call)
        elif isinstance(syntax.func, ast.Attribute) and syntax.func.attr == "copy" and not syntax.args:
            self.read(source.node(syntax.func.value))
        elif isinstance(syntax.func, ast.Attribute) and syntax.func.attr in _DUMPS:
            self._read_model(source.node(syntax.func.value), is_whole=not syntax.keywords and not syntax.args)
        elif name == "dataclasses.asdict" and len(syntax.args) == 1:
            self._read_model(source.node(syntax.args[0]), is_whole=True)
        elif (function := called(call, self._sources)) is not None:
            results = returned(function)
            self.claims.is_known &= bool(results)
            for result in results:
                self.read(result)
        else:
            self._read_model(call, is_whole=True)

    def _read_model(self, instance: Node[Any], *, is_whole: bool) -> None:
        """The fields of a pydantic model, a dataclass or a TypedDict are the claims."""
        made = self._sources.resolve(instance)
        if not isinstance(made.syntax, ast.Call):
            self.claims.is_known = False
            return
        kind = self._sources.resolve(made.source.node(made.syntax.func))
        if not isinstance(kind.syntax, ast.ClassDef) or not is_whole:
            self.claims.is_known = False
        if isinstance(kind.syntax, ast.ClassDef):
            self._read_fields(Node(kind.source, kind.syntax))
            self._add_keywords(made)

    def _read_fields(self, kind: Node[ast.ClassDef]) -> None:
        for statement in kind.syntax.body:
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                values = self.claims.values.setdefault(statement.target.id, [])
                values += [kind.source.node(statement.value)] if statement.value is not None else []
        for base in kind.syntax.bases:
            above = self._sources.resolve(kind.source.node(base))
            if isinstance(above.syntax, ast.ClassDef):
                self._read_fields(Node(above.source, above.syntax))
            elif kind.source.name_of(base) not in _MODELS:
                self.claims.is_known = False

    def _read_name(self, node: Node[ast.Name]) -> None:
        source, name = node.source, node.syntax.id
        for parent in source.parents(node.syntax):
            if not is_function(parent):
                continue
            if (parent, name) in self._seen:
                return
            is_parameter = any(parameter.arg == name for parameter in parameters(parent))
            if self._read_local(source.node(parent), name) or is_parameter:
                if is_parameter:
                    self.claims.parameters.append((source.node(parent), name))
                return
            if any(p is not None and p.arg == name for p in (parent.args.vararg, parent.args.kwarg)):
                self.claims.is_known = False
                return
        self._read_elsewhere(node)

    def _read_local(self, function: Node[FunctionNode], name: str) -> bool:
        """What a function puts into a local dict; False if it assigns no such name."""
        self._seen.add((function.syntax, name))
        source, is_assigned = function.source, False
        for statement in own_statements(function.syntax):
            match statement:
                case ast.Assign(targets=targets, value=value):
                    for target in targets:
                        is_assigned |= self._read_assignment(source, target, value, name)
                case ast.AnnAssign(target=target, value=ast.expr() as value) if _is(target, name):
                    is_assigned = True
                    self.read(source.node(value))
                case ast.AugAssign(target=target, value=value) if _is(target, name):
                    self.read(source.node(value))
                case ast.For(target=target) | ast.AsyncFor(target=target) if _is(target, name):
                    is_assigned, self.claims.is_known = True, False
                case ast.Call():
                    self._read_change(source.node(statement), name)
        return is_assigned

    def _read_assignment(self, source: Source, target: ast.expr, value: ast.expr, name: str) -> bool:
        """What an assignment puts into a local dict; whether it assigns its name."""
        if _is(target, name):
            self.read(source.node(value))
            return True
        if isinstance(target, ast.Subscript) and _is(target.value, name):
            self._add(source.node(target.slice), source.node(value))
        elif isinstance(target, ast.Tuple) and any(_is(item, name) for item in target.elts):
            self.claims.is_known = False
            return True
        return False

    def _read_change(self, call: Node[ast.Call], name: str) -> None:
        """What a call puts into a local dict: `claims.update(…)`, or a function that it is passed to."""
        source, syntax = call.source, call.syntax
        match syntax:
            case ast.Call(func=ast.Attribute(value=target, attr="update")) if _is(target, name):
                for value in syntax.args:
                    self.read(source.node(value))
                self._add_keywords(call)
            case ast.Call(func=ast.Attribute(value=target, attr="setdefault"), args=[key, value]) if _is(target, name):
                self._add(source.node(key), source.node(value))
            case _:
                spelled = source.name_of(syntax.func) or ""
                if any(_is(value, name) for value in syntax.args) and not _only_reads(spelled):
                    function = called(call, self._sources)
                    self.claims.is_known &= function is not None and not _may_change(function, syntax, name)


def _only_reads(name: str) -> bool:
    return name in _READS | _COPIES or name.endswith((".encode", ".debug", ".info", ".warning", ".error"))


def _may_change(function: Node[FunctionNode], call: ast.Call, name: str) -> bool:
    """Whether a function that a dict is passed to does more than read it, as far as one can see."""
    position = next(i for i, value in enumerate(call.args) if _is(value, name))
    names = [parameter.arg for parameter in parameters(function.syntax)]
    if position >= len(names):
        return True
    return any(
        isinstance(node, ast.Subscript | ast.Attribute)
        and _is(node.value, names[position])
        and (isinstance(node.ctx, ast.Store) or getattr(node, "attr", "") in {"update", "setdefault"})
        for node in ast.walk(function.syntax)
    )


def _is(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name
