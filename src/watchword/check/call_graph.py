"""Which of the app's own functions call which, methods of its own classes included."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from watchword.check.functions import parameters
from watchword.check.source import FunctionNode, Node
from watchword.check.sources import Sources
from watchword.check.walking import body_of

_DEPTH: Final = 6  # from function to function, and from expression to expression
_SPEAKING_METHOD: Final = re.compile(r"passw|authenticat|verif|credential|log_?in|sign_?in", re.IGNORECASE)
_TRANSPARENT: Final = frozenset({"staticmethod", "classmethod", "property", "lru_cache", "cache", "override", "wraps"})

_HANDS_ON: Final = {"run_in_threadpool": 0, "to_thread": 0, "run_sync": 0, "partial": 0, "run_in_executor": 1}
"""What calls a function that it is passed, in a thread or later, and where that is passed."""
_RUN_BY_A_REQUEST: Final = frozenset({"__init__", "__call__", "__post_init__", "dispatch"})


@dataclass(frozen=True, slots=True, eq=False)
class Called:
    """A call, and the function of the app that it calls."""

    call: Node[ast.Call]
    function: Node[FunctionNode]


@dataclass(eq=False)
class CallGraph:
    """Follows calls from function to function."""

    sources: Sources
    _called: dict[ast.AST, tuple[Called, ...]] = field(default_factory=dict, init=False, repr=False)
    _runs: dict[ast.AST, tuple[Node[FunctionNode], ...]] = field(default_factory=dict, init=False, repr=False)
    _attributes: dict[ast.AST, dict[str, tuple[ast.expr | None, ast.expr | None]]] = field(
        default_factory=dict, init=False, repr=False
    )

    def calls(self, function: Node[Any]) -> tuple[Called, ...]:
        """Calls in a function of functions of the app, in order; those in what it only defines are left out."""
        known = self._called.get(function.syntax)
        if known is None:
            found = []
            for call in nodes_of(function, ast.Call):
                target = self.target(call)
                if target is not None:
                    found.append(Called(call, target))
            known = self._called[function.syntax] = tuple(found)
        return known

    def reached(self, *starts: Node[Any]) -> Iterator[Node[FunctionNode]]:
        """These functions and what they call, each once, the nearest first; of a class, its making and its call."""
        waiting = [(inner, 0) for start in starts for inner in _functions(start)]
        seen: set[ast.AST] = set()
        while waiting:
            function, depth = waiting.pop(0)
            if function.syntax in seen:
                continue
            seen.add(function.syntax)
            yield function
            if depth < _DEPTH:
                waiting.extend((inner, depth + 1) for inner in self._run_by(function))

    def _run_by(self, function: Node[Any]) -> tuple[Node[FunctionNode], ...]:
        """The functions of the app that a function calls, or has called in a thread."""
        known = self._runs.get(function.syntax)
        if known is None:
            calls = ((call, made_elsewhere(call)) for call in nodes_of(function, ast.Call))
            targets = (self.target(made) for call, made in calls if made is not call)
            in_threads = (target for target in targets if target is not None)
            known = self._runs[function.syntax] = (*(called.function for called in self.calls(function)), *in_threads)
        return known

    def target(self, call: Node[ast.Call]) -> Node[FunctionNode] | None:
        """The function of the app that a call calls."""
        func = call.source.node(call.syntax.func)
        found = self.sources.resolve(func)
        if isinstance(found.syntax, ast.FunctionDef | ast.AsyncFunctionDef):
            return found
        if not isinstance(func.syntax, ast.Attribute):
            return None
        owner = self.type_of(call.source.node(func.syntax.value))
        if owner is not None:
            return self._method(owner, func.syntax.attr) or self._method_below(owner, func.syntax.attr)
        same_name = self._methods.get(func.syntax.attr, [])
        return same_name[0] if len(same_name) == 1 and _SPEAKING_METHOD.search(func.syntax.attr) else None

    def type_of(self, node: Node[Any], depth: int = 0) -> Node[Any] | None:
        """The class that an expression is made of: its definition, or how it is named where it is a library's."""
        source, syntax = node.source, node.syntax
        found: Node[Any] | None = None
        match syntax:
            case _ if depth > _DEPTH:
                pass
            case ast.ClassDef():
                found = node
            case ast.Await(value=value):
                found = self.type_of(source.node(value), depth + 1)
            case ast.Name(id="self" | "cls"):
                own = source.class_of(syntax)
                found = None if own is None else source.node(own)
            case ast.Call(func=func):
                found = self._made_by(source.node(func), depth)
            case ast.Name() | ast.Attribute():
                found = self._of_name(node, depth)
        return found

    def _of_name(self, node: Node[Any], depth: int) -> Node[Any] | None:
        found = self.sources.resolve(node)
        if found.syntax is not node.syntax:
            return self.type_of(found, depth + 1)
        if isinstance(node.syntax, ast.Name):
            return self._of_parameter(node, depth)
        holder = self.type_of(node.source.node(node.syntax.value), depth + 1)
        return None if holder is None else self._of_attribute(holder, node.syntax.attr, depth)

    def type_name(self, node: Node[Any]) -> str:
        """The full name of a library's class that an expression is made of; empty where it is none."""
        found = self.type_of(node)
        return "" if found is None else found.source.name_of(found.syntax) or ""

    @cached_property
    def _methods(self) -> dict[str, list[Node[FunctionNode]]]:
        found: dict[str, list[Node[FunctionNode]]] = {}
        for owner in self.sources.all(ast.ClassDef):
            for statement in owner.syntax.body:
                if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                    found.setdefault(statement.name, []).append(owner.source.node(statement))
        return found

    def _made_by(self, func: Node[Any], depth: int) -> Node[Any] | None:
        made = self.sources.resolve(func)
        if made.syntax is func.syntax and isinstance(func.syntax, ast.Attribute):
            owner = self.type_of(func.source.node(func.syntax.value), depth + 1)
            made = (self._method(owner, func.syntax.attr) if owner is not None else None) or made
        if isinstance(made.syntax, ast.ClassDef):
            return made
        if not isinstance(made.syntax, ast.FunctionDef | ast.AsyncFunctionDef):
            return made if isinstance(made.syntax, ast.Name | ast.Attribute) else None
        if made.syntax.returns is not None:
            return self._of_annotation(made.source.node(made.syntax.returns), depth + 1)
        returned = [node.syntax.value for node in nodes_of(made, ast.Return)]
        if len(returned) != 1 or returned[0] is None:
            return None
        return self.type_of(made.source.node(returned[0]), depth + 1)

    def _of_parameter(self, name: Node[ast.Name], depth: int) -> Node[Any] | None:
        function = name.source.function_of(name.syntax)
        for parameter in parameters(function) if function is not None else ():
            if parameter.arg == name.syntax.id and parameter.annotation is not None:
                return self._of_annotation(name.source.node(parameter.annotation), depth + 1)
        return None

    def _of_annotation(self, annotation: Node[Any], depth: int) -> Node[Any] | None:
        """The class an annotation names, seen through `Annotated`, `Optional`, `| None` and aliases."""
        source, syntax = annotation.source, annotation.syntax
        inner: ast.expr | None = None
        match syntax:
            case ast.Constant(value=str(text)) if text.isidentifier():
                inner = ast.Name(id=text, ctx=ast.Load())  # it stands nowhere, and so is looked up in the module
            case ast.BinOp(op=ast.BitOr(), left=left, right=right):
                inner = right if isinstance(left, ast.Constant) else left
            case ast.Subscript(value=value, slice=items) if (source.name_of(value) or "").rpartition(".")[2] in {
                "Annotated",
                "Optional",
                "Type",
                "type",
            }:
                inner = items.elts[0] if isinstance(items, ast.Tuple) else items
            case ast.Name() | ast.Attribute():
                found = self.sources.resolve(annotation)
                is_end = found.syntax is syntax or isinstance(found.syntax, ast.ClassDef)
                return found if is_end or depth > _DEPTH else self._of_annotation(found, depth + 1)
        return None if inner is None or depth > _DEPTH else self._of_annotation(source.node(inner), depth + 1)

    def _of_attribute(self, holder: Node[Any], name: str, depth: int) -> Node[Any] | None:
        """The class of what the objects of a class hold under a name: by annotation, or by what is assigned."""
        if not isinstance(holder.syntax, ast.ClassDef):
            return None
        value, annotation = self._held(holder).get(name, (None, None))
        if annotation is not None:
            return self._of_annotation(holder.source.node(annotation), depth + 1)
        if value is not None:
            return self.type_of(holder.source.node(value), depth + 1)
        for base in holder.syntax.bases:
            above = self.sources.resolve(holder.source.node(base))
            if isinstance(above.syntax, ast.ClassDef) and depth < _DEPTH:
                return self._of_attribute(above, name, depth + 1)
        return None

    def _held(self, holder: Node[ast.ClassDef]) -> dict[str, tuple[ast.expr | None, ast.expr | None]]:
        """What a class gives its objects, by name: the value and the annotation."""
        known = self._attributes.get(holder.syntax)
        if known is None:
            known = self._attributes[holder.syntax] = {}
            for node in ast.walk(holder.syntax):
                match node:
                    case ast.AnnAssign(target=ast.Name(id=name) | ast.Attribute(attr=name), annotation=annotation):
                        known.setdefault(name, (node.value, annotation))
                    case ast.Assign(
                        targets=[ast.Attribute(value=ast.Name(id="self"), attr=name) | ast.Name(id=name)], value=value
                    ):
                        known.setdefault(name, (value, None))
        return known

    def _method(self, owner: Node[Any], name: str, depth: int = 0) -> Node[FunctionNode] | None:
        if not isinstance(owner.syntax, ast.ClassDef) or depth > _DEPTH:
            return None
        for statement in owner.syntax.body:
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef) and statement.name == name:
                return owner.source.node(statement)
        for base in owner.syntax.bases:
            found = self._method(self.sources.resolve(owner.source.node(base)), name, depth + 1)
            if found is not None:
                return found
        return None

    def _method_below(self, owner: Node[Any], name: str) -> Node[FunctionNode] | None:
        """The method of the only class of the app that is made of a library's and has one of that name."""
        above = owner.source.name_of(owner.syntax)
        if above is None:
            return None
        found = []
        for method in self._methods.get(name, []):
            holder = next(method.source.parents(method.syntax))
            if isinstance(holder, ast.ClassDef) and above in {method.source.name_of(base) for base in holder.bases}:
                found.append(method)
        return found[0] if len(found) == 1 else None


def nodes_of(function: Node[Any], *kinds: type[Any]) -> Iterator[Node[Any]]:
    """Nodes of a function's body in the order of the text, without those of functions it defines."""
    return (function.source.node(syntax) for syntax in body_of(function.syntax) if isinstance(syntax, kinds))


def made_elsewhere(call: Node[ast.Call]) -> Node[ast.Call]:
    """The call that a thread or a partial makes: `f(a)` of `to_thread(f, a)`; of any other call, itself."""
    syntax = call.syntax
    name = getattr(syntax.func, "attr", None) or call.source.name_of(syntax.func) or ""
    position = _HANDS_ON.get(name.rpartition(".")[2])
    if position is None or len(syntax.args) <= position:
        return call
    function = syntax.args[position]
    if isinstance(function, ast.Lambda):
        return call.source.node(function.body) if isinstance(function.body, ast.Call) else call
    made = ast.Call(func=function, args=syntax.args[position + 1 :], keywords=syntax.keywords)
    return call.source.node(ast.copy_location(made, syntax))


def is_plain(function: Node[FunctionNode]) -> bool:
    """Whether calling a function by its name runs it then and there: no decorator may send it to a thread."""
    if isinstance(function.syntax, ast.AsyncFunctionDef):
        return False
    names = (function.source.name_of(d.func if isinstance(d, ast.Call) else d) for d in function.syntax.decorator_list)
    return all((name or "").rpartition(".")[2] in _TRANSPARENT for name in names)


def _functions(start: Node[Any]) -> Iterator[Node[FunctionNode]]:
    if isinstance(start.syntax, ast.FunctionDef | ast.AsyncFunctionDef):
        yield start
    elif isinstance(start.syntax, ast.ClassDef):
        for statement in start.syntax.body:
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef) and statement.name in _RUN_BY_A_REQUEST:
                yield start.source.node(statement)
