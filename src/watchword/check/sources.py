"""The source behind an app: its own files, in which names are followed to what they stand for."""

import ast
import gc
import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from watchword.check.callables import unwrapped
from watchword.check.source import FunctionNode, N, Node, Source, argument, parse, texts_in
from watchword.check.walking import walk

_NOT_OURS: Final = frozenset({"site-packages", "dist-packages", ".venv", "venv", ".tox", "node_modules"})
_MOST_HOPS: Final = 8  # from name to name; imports can go in circles


@dataclass(eq=False)
class Sources:
    """The app's own files, and those of libraries where somebody asks about a function of theirs.

    Attributes:
        own: Those of the app's own package that it imports, sorted by path.
        root: The folder that paths are shown relative to.
    """

    own: tuple[Source, ...]
    root: Path
    _by_module: dict[str, Source] = field(default_factory=dict, repr=False)
    _by_path: dict[Path, Source | None] = field(default_factory=dict, repr=False)
    _written: dict[int, tuple[Callable[..., Any], Node[Any] | None]] = field(
        default_factory=dict, init=False, repr=False
    )
    _resolved: dict[ast.AST, Node[Any]] = field(default_factory=dict, init=False, repr=False)
    _resolving: set[ast.AST] = field(default_factory=set, init=False, repr=False)
    _nested: int = field(default=0, init=False, repr=False)

    @classmethod
    def of(cls, module: ModuleType) -> "Sources":
        """The files of the package that a module is of, as far as importing the module imports them."""
        with collector_paused():
            return _Collection(module).sources()

    def is_own(self, source: Source) -> bool:
        """Whether a file is the app's own."""
        return self._by_module.get(source.module) is source

    def calls(self, *names: str) -> Iterator[Node[ast.Call]]:
        """All calls in own files of functions by their full names."""
        for source in self.own:
            for name in names:
                for call in source.calls.get(name, ()):
                    yield Node(source, call)

    def all(self, kind: type[N]) -> Iterator[Node[N]]:
        """All nodes of a kind in own files."""
        for source in self.own:
            for node in source.all(kind):
                yield Node(source, node)

    def functions(self) -> Iterator[Node[FunctionNode]]:
        """All functions and methods in own files."""
        for source in self.own:
            for node in source.functions:
                yield Node(source, node)

    @cached_property
    def functions_by_name(self) -> dict[str, list[Node[FunctionNode]]]:
        """The same by name."""
        found: dict[str, list[Node[FunctionNode]]] = {}
        for function in self.functions():
            found.setdefault(function.syntax.name, []).append(function)
        return found

    def resolve(self, node: Node[Any]) -> Node[Any]:
        """What an expression stands for: names are followed to what they are assigned to, over modules of the app.

        `SECRET_KEY` leads to the string it is assigned, in another module too; `settings.secret_key` to the default of
        that field of the class that `settings` is made of; `get_settings().secret_key` likewise; a method to its `def`.
        What cannot be followed comes back as it is.
        """
        start = node.syntax
        if (known := self._resolved.get(start)) is not None:
            return known
        if start in self._resolving:  # `node = other.next` and `other = node.next` go in circles
            return node
        self._resolving.add(start)
        try:
            for _hop in range(_MOST_HOPS):
                following = self._follow(node)
                if following is None:
                    break
                node = following
        finally:
            self._resolving.discard(start)
        if not self._resolving and not self._nested:  # what is found on the way may have been cut short
            self._resolved[start] = node
        return node

    def constant(self, node: Node[Any]) -> object:
        """The string, bytes, number or other literal that an expression stands for; `...` if it stands for none."""
        try:
            return ast.literal_eval(self.resolve(node).syntax)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            return ...

    def literals(self, definition: Node[Any]) -> set[str]:
        """The strings in a definition, and in what the names it uses stand for."""
        found: set[str] = set()
        for node in ast.walk(definition.syntax):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
            elif isinstance(node, ast.Name | ast.Attribute):
                value = self.resolve(Node(definition.source, node)).syntax
                if isinstance(value, ast.List | ast.Tuple | ast.Set | ast.Constant | ast.Call):
                    found.update(texts_in(value))
        return found

    def _follow(self, node: Node[Any]) -> Node[Any] | None:
        source, syntax = node.source, node.syntax
        if isinstance(syntax, ast.Name):
            return self._follow_name(source, syntax)
        if isinstance(syntax, ast.Attribute):
            full = source.name_of(syntax)
            if full is not None and (found := self._imported(full)) is not None:
                return found
            return self._field(self.resolve(Node(source, syntax.value)), syntax.attr)
        return None

    def _follow_name(self, source: Source, name: ast.Name) -> Node[Any] | None:
        function = source.function_of(name) if name.id in source.local_names else None
        if function is not None and name.id in (local := source.assigned_in(function)):
            value = local[name.id]
            return None if _mentions(value, name.id) else Node(source, value)
        if function is not None and _is_parameter(function, name):
            return None
        if name.id in source.top_level:
            return Node(source, source.top_level[name.id])
        return self._imported(source.imports.get(name.id))

    def _imported(self, name: str | None) -> Node[Any] | None:
        """What a full name is in its module, if that module is the app's own."""
        module, _, attribute = (name or "").rpartition(".")
        source = self._by_module.get(module)
        if source is None:
            return None
        if attribute in source.top_level:
            return Node(source, source.top_level[attribute])
        again = source.imports.get(attribute)
        return self._imported(again) if again is not None and again != name else None

    def _field(self, owner: Node[Any], name: str) -> Node[Any] | None:
        """The value that a class gives a field, of the class itself or of what is made of it."""
        if self._nested > _MOST_HOPS:  # what returns a call of itself leads nowhere
            return None
        self._nested += 1
        try:
            return self._field_of(owner, name)
        finally:
            self._nested -= 1

    def _field_of(self, owner: Node[Any], name: str) -> Node[Any] | None:
        if isinstance(owner.syntax, ast.ClassDef):
            return self._class_field(owner, name)
        if not isinstance(owner.syntax, ast.Call):
            return None
        given = argument(owner.syntax, name)
        if given is not None:
            return Node(owner.source, given)
        made_by = self.resolve(Node(owner.source, owner.syntax.func))
        if isinstance(made_by.syntax, ast.FunctionDef | ast.AsyncFunctionDef):
            returned = [node.value for node in walk(made_by.syntax) if isinstance(node, ast.Return)]
            if len(returned) == 1 and returned[0] is not None:
                return self._field(self.resolve(Node(made_by.source, returned[0])), name)
        return self._field(made_by, name) if isinstance(made_by.syntax, ast.ClassDef) else None

    def _class_field(self, owner: Node[ast.ClassDef], name: str) -> Node[Any] | None:
        for statement in owner.syntax.body:
            match statement:
                case ast.AnnAssign(target=ast.Name(id=known), value=ast.expr() as value) if known == name:
                    return Node(owner.source, value)
                case ast.Assign(targets=[ast.Name(id=known)], value=value) if known == name:
                    return Node(owner.source, value)
                case ast.FunctionDef(name=known) | ast.AsyncFunctionDef(name=known) if known == name:
                    return Node(owner.source, statement)
        for base in owner.syntax.bases:
            above = self.resolve(Node(owner.source, base))
            if isinstance(above.syntax, ast.ClassDef) and (found := self._field(above, name)) is not None:
                return found
        return None

    def method(self, owner: Node[ast.ClassDef], name: str) -> Node[FunctionNode] | None:
        """A method of a class of the app's own, or of those above it."""
        found = self._field(owner, name)
        is_method = found is not None and isinstance(found.syntax, ast.FunctionDef | ast.AsyncFunctionDef)
        return found if is_method else None

    def definition(self, call: Callable[..., Any]) -> Node[Any] | None:
        """The `def`, `class` or `lambda` that made a callable: of an instance, its class's `__call__`.

        Of libraries' functions too. None where there is no Python source.
        """
        return self.written(unwrapped(call))

    def written(self, call: Callable[..., Any]) -> Node[Any] | None:
        """The same of a decorator's function, and not of what it wraps."""
        known = self._written.get(id(call))
        if known is None:
            known = self._written[id(call)] = (call, self._find(call))  # it is kept, so that its id stays its own
        return known[1]

    def _find(self, call: Callable[..., Any]) -> Node[Any] | None:
        if not (inspect.isfunction(call) or inspect.ismethod(call) or inspect.isclass(call)):
            call = getattr(type(call), "__call__", call)  # noqa: B004 — the method, not whether there is one
        try:
            path = Path(inspect.getsourcefile(call) or "")
        except TypeError:
            return None
        source = self.file(path, getattr(call, "__module__", "") or "")
        if source is None:
            return None
        if inspect.isclass(call):
            classes = [c for c in source.all(ast.ClassDef) if c.name == call.__name__]
            return Node(source, classes[-1]) if classes else None
        code = getattr(call, "__code__", None)
        if code is None:
            return None
        function = source.functions_by_line.get((code.co_firstlineno, code.co_name))
        return None if function is None else Node(source, function)

    def file(self, path: Path, module: str = "") -> Source | None:
        """A file, parsed once; None if there is none or it is no Python."""
        if path not in self._by_path:
            real = path.resolve()  # many files are asked for thousands of times
            if real not in self._by_path:
                self._by_path[real] = parse(real, module)
            self._by_path[path] = self._by_path[real]
        return self._by_path[path]


class _Collection:
    """Which files are the app's own: what its module imports, as long as it stays in the same package."""

    def __init__(self, module: ModuleType) -> None:
        top = sys.modules.get(module.__name__.partition(".")[0], module)
        folders = [Path(folder).resolve() for folder in getattr(top, "__path__", ())]
        file = Path(module.__file__ or "").resolve()
        self._is_package = bool(folders)
        # the longest first: a namespace package can have a folder that holds the environment with its other folders
        self._roots = sorted(set(folders), key=lambda root: len(root.parts), reverse=True) or [file.parent]
        # As written and as it is: to follow the links of every module that is loaded would take half of the time.
        self._beginnings = (
            *map(str, self._roots),
            *getattr(top, "__path__", (str(Path(module.__file__ or "").parent),)),
        )
        self._top = top.__name__
        self._asked: set[str] = set()  # names and files, each once
        self._folders: dict[str, bool] = {}
        self._found: dict[Path, Source] = {}
        self._module = module

    def sources(self) -> Sources:
        waiting = [self._path_of(module) for module in list(sys.modules.values())]
        waiting.append(self._path_of(self._module))
        while waiting:
            path = waiting.pop()
            if path is None or path in self._found:
                continue
            source = parse(path, self._name(path))
            if source is not None:
                self._found[path] = source
                for name in set(source.imports.values()) - self._asked:
                    self._asked.add(name)
                    waiting.extend(self._files_of(name))
        own = tuple(sorted(self._found.values(), key=lambda source: source.path))
        root = self._roots[0].parent if self._is_package else self._roots[0]
        return Sources(own, root, {source.module: source for source in own}, {source.path: source for source in own})

    def _path_of(self, module: ModuleType) -> Path | None:
        if self._is_package and module.__name__.partition(".")[0] != self._top:
            return None
        file = getattr(module, "__file__", None)
        return self._own(Path(file)) if isinstance(file, str) and file.startswith(self._beginnings) else None

    def _own(self, path: Path) -> Path | None:
        path = path.resolve()
        root = next((root for root in self._roots if path.is_relative_to(root)), None)
        if root is None or path.suffix != ".py" or _NOT_OURS & set(path.relative_to(root).parts):
            return None
        return path if path.exists() else None

    def _name(self, path: Path) -> str:
        root = next(root for root in self._roots if path.is_relative_to(root))
        parts = list(path.relative_to(root).with_suffix("").parts)
        if self._is_package:
            parts.insert(0, self._top)
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    def _files_of(self, name: str) -> Iterator[Path | None]:
        """Files that are imported where a full name is, inside functions too."""
        parts = name.split(".")
        if self._is_package:
            if parts[0] != self._top:
                return
            parts = parts[1:]
        for root in self._roots:
            place = str(root)
            for part in parts:
                place = f"{place}/{part}"
                file = f"{place}/__init__.py" if self._is_folder(place) else f"{place}.py"
                if file not in self._asked:
                    self._asked.add(file)
                    yield self._own(Path(file))
                if not self._is_folder(place):
                    break

    def _is_folder(self, place: str) -> bool:
        if place not in self._folders:
            self._folders[place] = Path(place).is_dir()
        return self._folders[place]


@contextmanager
def collector_paused() -> Iterator[None]:
    """Syntax trees are millions of objects and none of them is garbage: looking through them takes most of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _is_parameter(function: FunctionNode, name: ast.Name) -> bool:
    """Whether a name in a function's body is a parameter; in its decorators and defaults it is something else."""
    start = function.body[0]
    is_in_body = (name.lineno, name.col_offset) >= (start.lineno, start.col_offset)
    arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    return is_in_body and any(argument.arg == name.id for argument in arguments)


def _mentions(node: ast.AST, name: str) -> bool:
    return any(isinstance(inner, ast.Name) and inner.id == name for inner in ast.walk(node))
