"""One file of source, as a syntax tree."""

import ast
import tokenize
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, TypeVar

from watchword.check.model import Location
from watchword.check.walking import below, walk

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
Definition = FunctionNode | ast.ClassDef | ast.Lambda
K_co = TypeVar("K_co", bound=ast.AST, covariant=True)
N = TypeVar("N", bound=ast.AST)


@dataclass(frozen=True, slots=True, eq=False)
class Node(Generic[K_co]):
    """A syntax node and the file it stands in."""

    source: "Source"
    syntax: K_co

    @property
    def location(self) -> Location:
        """Where it stands."""
        return self.source.location(self.syntax)


@dataclass(eq=False)
class Source:
    """One file.

    Attributes:
        path: It.
        module: Its dotted name.
        text: What it holds.
        tree: The same, parsed.
    """

    path: Path
    module: str
    text: str
    tree: ast.Module = field(repr=False)
    _assigned: dict[FunctionNode, dict[str, ast.expr]] = field(default_factory=dict, repr=False)
    _function_of: dict[ast.AST, FunctionNode | None] = field(default_factory=dict, init=False, repr=False)
    _by_kind: dict[Any, list[Any]] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def lines(self) -> list[str]:
        """Its lines, without ends."""
        return self.text.split("\n")  # as Python counts them: a form feed ends no line

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """All of its nodes, in the order of `ast.walk`."""
        return below(self.tree)

    def all(self, kind: type[N]) -> Iterator[N]:
        """All nodes of a kind."""
        if kind not in self._by_kind:
            self._by_kind[kind] = self._of_kind(kind)
        return iter(self._by_kind[kind])

    def _of_kind(self, kind: type[Any]) -> list[Any]:
        types = {each for each in self._by_type if issubclass(each, kind)}
        if len(types) < 2:  # noqa: PLR2004 — only of several they have to be put in order
            return self._by_type.get(next(iter(types), kind), [])
        return [node for node in self.nodes if type(node) in types]

    @cached_property
    def _by_type(self) -> dict[type[ast.AST], list[Any]]:
        found: dict[type[ast.AST], list[Any]] = {}
        for node in self.nodes:
            found.setdefault(type(node), []).append(node)
        return found

    @cached_property
    def functions(self) -> list[FunctionNode]:
        """All of its functions and methods."""
        return [node for node in self.nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]

    @cached_property
    def calls(self) -> dict[str, list[ast.Call]]:
        """All calls by the full names of what they call, as far as it has one."""
        found: dict[str, list[ast.Call]] = {}
        for call in self.all(ast.Call):
            if (name := self.name_of(call.func)) is not None:
                found.setdefault(name, []).append(call)
        return found

    @cached_property
    def _parents(self) -> dict[ast.AST, ast.AST]:
        return {child: parent for parent in self.nodes for child in ast.iter_child_nodes(parent)}

    def parents(self, node: ast.AST) -> Iterator[ast.AST]:
        """What a node stands in, from the inside out."""
        while (parent := self._parents.get(node)) is not None:
            yield parent
            node = parent

    def function_of(self, node: ast.AST) -> FunctionNode | None:
        """The function a node stands in."""
        if node not in self._function_of:
            above = (p for p in self.parents(node) if isinstance(p, ast.FunctionDef | ast.AsyncFunctionDef))
            self._function_of[node] = next(above, None)
        return self._function_of[node]

    def class_of(self, node: ast.AST) -> ast.ClassDef | None:
        """The class a node stands in."""
        return next((parent for parent in self.parents(node) if isinstance(parent, ast.ClassDef)), None)

    def node(self, syntax: N) -> Node[N]:
        """One of its nodes, with the file."""
        return Node(self, syntax)

    def location(self, node: ast.AST) -> Location:
        """Where a node stands."""
        line, offset = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
        before = self.lines[line - 1].encode()[:offset].decode(errors="ignore")  # Python counts bytes
        return Location(self.path, line, len(before) + 1, getattr(node, "end_lineno", None))

    @cached_property
    def imports(self) -> dict[str, str]:
        """Local name to full name, of everything that is imported anywhere in the file."""
        package = self.module if self.path.name == "__init__.py" else self.module.rpartition(".")[0]
        names: dict[str, str] = {}
        for node in _import_statements(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    names[alias.asname or alias.name.partition(".")[0]] = (
                        alias.name if alias.asname else alias.name.partition(".")[0]
                    )
            else:
                base = node.module or ""
                if node.level:
                    above = package.split(".")
                    above = above[: len(above) - node.level + 1]
                    base = ".".join([*above, *([base] if base else [])])
                for alias in node.names:
                    names[alias.asname or alias.name] = f"{base}.{alias.name}"
        return names

    def name_of(self, node: ast.AST) -> str | None:
        """The full name an expression spells, imports followed; None where it is not a name with dots.

        `jwt.decode` for `decode` after `from jwt import decode`. What is not imported stays as it is written.
        """
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return None
        return ".".join([self.imports.get(node.id, node.id), *reversed(parts)])

    @cached_property
    def top_level(self) -> dict[str, ast.expr | Definition]:
        """What the module's own names are assigned to or defined as; the last one counts, as in Python."""
        found: dict[str, ast.expr | Definition] = {}
        for node in _statements(self.tree.body):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                found[node.name] = node
            elif isinstance(node, ast.Assign):
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        found[target.id] = node.value
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
                found[node.target.id] = node.value
        return found

    @cached_property
    def functions_by_line(self) -> dict[tuple[int, str], FunctionNode | ast.Lambda]:
        """All functions by their first line, decorators included, and name: as their code objects know them."""
        found: dict[tuple[int, str], FunctionNode | ast.Lambda] = {}
        for node in self.nodes:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                found.setdefault((_first_line(node), getattr(node, "name", "<lambda>")), node)
        return found

    @cached_property
    def local_names(self) -> set[str]:
        """Names that some function of it assigns or takes; of all others nobody need ask in which function they are."""
        stored = {name.id for name in self.all(ast.Name) if isinstance(name.ctx, ast.Store)}
        return stored | {argument.arg for argument in self.all(ast.arg)}

    def assigned_in(self, function: FunctionNode) -> dict[str, ast.expr]:
        """What a function's local names are assigned to; the last one counts."""
        if function not in self._assigned:
            self._assigned[function] = {
                target.id: node.value
                for node in walk(function)
                if isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr) and node.value is not None
                for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
                if isinstance(target, ast.Name)
            }
        return self._assigned[function]


def arguments(call: ast.Call) -> list[ast.expr]:
    """What is passed to a call, by position or name."""
    return [*call.args, *(keyword.value for keyword in call.keywords)]


def argument(call: ast.Call, name: str, position: int | None = None) -> ast.expr | None:
    """What is passed to a call under a name, or at a position from 0; None if nothing is."""
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    return call.args[position] if position is not None and len(call.args) > position else None


def texts_in(node: ast.AST) -> list[str]:
    """The strings in a node."""
    return [n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)]


def parse(path: Path, module: str) -> Source | None:
    """A file; None where it is none, or no Python."""
    try:
        with tokenize.open(path) as file:  # in the encoding that it names, as Python reads it
            text = file.read()
        return Source(path, module, text, ast.parse(text))
    except (OSError, UnicodeDecodeError, SyntaxError, ValueError):
        return None


def _import_statements(tree: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """All of them, in functions too; expressions, most of a tree, are not looked into."""
    waiting: deque[ast.AST] = deque([tree])
    while waiting:
        node = waiting.popleft()
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        for part in ("body", "orelse", "finalbody", "handlers", "cases"):
            inside = getattr(node, part, None)
            if isinstance(inside, list):  # a lambda's body is none
                waiting.extend(inside)


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements of a module, with those that stand in `if`, `try` and `with`."""
    for statement in body:
        yield statement
        for part in ("body", "orelse", "finalbody"):
            if isinstance(statement, ast.If | ast.Try | ast.With):
                yield from _statements(getattr(statement, part, []))
        if isinstance(statement, ast.Try):
            for handler in statement.handlers:
                yield from _statements(handler.body)


def _first_line(node: FunctionNode | ast.Lambda) -> int:
    decorators = getattr(node, "decorator_list", [])
    return min((decorator.lineno for decorator in decorators), default=node.lineno)
