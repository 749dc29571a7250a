"""Functions: their parameters, who calls them with what, and what they give back."""

import ast
from collections.abc import Iterator
from typing import Any, Final, TypeGuard

from watchword.check.source import FunctionNode, Node, Source
from watchword.check.sources import Sources

_COMMON: Final = frozenset(
    {name for kind in (dict, list, set, str, bytes) for name in dir(kind)}
    | {"create", "save", "find", "execute", "commit", "all", "first", "one", "filter", "query", "read", "write"}
    | {"delete", "post", "put", "patch", "request", "send", "close", "set", "exists", "scalar", "sign", "verify"}
)
"""Methods of much that is not the app's own: no name to know one by."""


def is_function(syntax: ast.AST | None) -> TypeGuard[FunctionNode]:
    """Whether a node is a `def` or an `async def`."""
    return isinstance(syntax, ast.FunctionDef | ast.AsyncFunctionDef)


def parameters(function: FunctionNode | ast.Lambda) -> list[ast.arg]:
    """What a function takes, by position or name."""
    return [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]


def defaults(function: FunctionNode | ast.Lambda) -> dict[str, ast.expr]:
    """The defaults of a function's parameters, by name."""
    positional = [*function.args.posonlyargs, *function.args.args]
    found = dict(zip((a.arg for a in reversed(positional)), reversed(function.args.defaults), strict=False))
    keywords = zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True)
    return found | {parameter.arg: value for parameter, value in keywords if value is not None}


def passed(call: ast.Call, definition: Node[FunctionNode]) -> dict[str, ast.expr] | None:
    """What a call passes to each parameter; None where `*` or `**` hide it. Defaults are left out."""
    if any(isinstance(a, ast.Starred) for a in call.args) or any(k.arg is None for k in call.keywords):
        return None
    function = definition.syntax
    positional = [a.arg for a in [*function.args.posonlyargs, *function.args.args]]
    if is_method(definition) and positional:
        positional = positional[1:]
    given = dict(zip(positional, call.args, strict=False))
    return given | {k.arg: k.value for k in call.keywords if k.arg is not None}


def is_method(definition: Node[Any]) -> bool:
    """Whether a function stands in a class, and is passed its instance or class."""
    decorators = getattr(definition.syntax, "decorator_list", [])
    is_static = any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in decorators)
    return not is_static and isinstance(next(definition.source.parents(definition.syntax), None), ast.ClassDef)


def own_statements(function: FunctionNode) -> Iterator[ast.AST]:
    """All nodes of a function that are not of a function in it."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop(0)
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            waiting[:0] = ast.iter_child_nodes(node)


def returned(definition: Node[FunctionNode]) -> list[Node[ast.expr]]:
    """What it returns, each `return` of it."""
    return [
        definition.source.node(node.value)
        for node in own_statements(definition.syntax)
        if isinstance(node, ast.Return) and node.value is not None
    ]


def assigned(function: FunctionNode, name: str) -> list[ast.expr]:
    """All that a function assigns to a local name."""
    found: list[ast.expr] = []
    for node in ast.walk(function):
        match node:
            case ast.Assign(targets=targets, value=value):
                if any(isinstance(target, ast.Name) and target.id == name for target in targets):
                    found.append(value)
            case ast.AnnAssign(target=ast.Name(id=known), value=ast.expr() as value) if known == name:
                found.append(value)
            case ast.NamedExpr(target=ast.Name(id=known), value=value) if known == name:
                found.append(value)
    return found


def called(call: Node[ast.Call], sources: Sources) -> Node[FunctionNode] | None:
    """The app's own function that a call is of; a method, where only one class has one of that name."""
    found = sources.resolve(call.source.node(call.syntax.func))
    if is_function(found.syntax):
        return found if sources.is_own(found.source) else None
    if not isinstance(call.syntax.func, ast.Attribute) or isinstance(found.syntax, ast.ClassDef):
        return None
    if (call.source.name_of(call.syntax.func) or "").partition(".")[0] in call.source.imports.values():
        return None  # a module's function, and that module is not ours
    name = call.syntax.func.attr
    methods = [function for function in definitions(name, sources) if is_method(function)]
    if isinstance(call.syntax.func.value, ast.Name) and call.syntax.func.value.id in {"self", "cls"}:
        classes = [p for p in call.source.parents(call.syntax) if isinstance(p, ast.ClassDef)]
        methods = [m for m in methods if next(m.source.parents(m.syntax), None) in classes] or methods
    elif name in _COMMON:
        return None
    return methods[0] if len(methods) == 1 and not _is_stub(methods[0].syntax) else None


def _is_stub(function: FunctionNode) -> bool:
    """Whether its body is elsewhere: of a protocol's or an abstract method."""
    return all(isinstance(statement, ast.Expr | ast.Pass | ast.Raise) for statement in function.body)


def definitions(name: str, sources: Sources) -> list[Node[FunctionNode]]:
    """The app's own functions of a name."""
    return sources.functions_by_name.get(name, [])


def callers(definition: Node[FunctionNode], sources: Sources) -> Iterator[Node[ast.Call]]:
    """The app's own calls of a function."""
    name = definition.syntax.name
    for source in sources.own:
        if name not in source.text and not _is_imported(source, definition):
            continue
        for call in source.all(ast.Call):
            spelled = getattr(call.func, "attr", None) or source.imports.get(getattr(call.func, "id", ""), "")
            if name not in {getattr(call.func, "id", ""), spelled.rpartition(".")[2]}:
                continue
            found = called(source.node(call), sources)
            if found is not None and found.syntax is definition.syntax:
                yield source.node(call)


def _is_imported(source: Source, definition: Node[FunctionNode]) -> bool:
    return f"{definition.source.module}.{definition.syntax.name}" in source.imports.values()
