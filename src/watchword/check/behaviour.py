"""What a function does with credentials, read from its source: where it takes them from, whether it refuses anybody."""

import ast
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from watchword.check.callables import unwrapped
from watchword.check.credentials import read_in
from watchword.check.refusals import RefusalReader
from watchword.check.source import Node, Source
from watchword.check.sources import Sources
from watchword.check.walking import walk

_DEPTH: Final = 4  # from function to function
_RUN_ELSEWHERE: Final = frozenset({"run_in_threadpool", "run_in_executor", "to_thread", "run_sync", "partial"})


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a function, and what it calls, does.

    Attributes:
        reads: Where it takes credentials from: `Authorization header`, `cookie`, `session`, `query`.
        refuses: Whether it answers 401 or 403, raises an error that says so, closes a WebSocket for policy, or sends
            people to a login page.
        statuses: The statuses it refuses with, as far as they can be read.
    """

    reads: frozenset[str] = frozenset()
    refuses: bool = False
    statuses: frozenset[int] = frozenset()

    def __or__(self, other: "Behaviour") -> "Behaviour":
        return Behaviour(self.reads | other.reads, self.refuses or other.refuses, self.statuses | other.statuses)


_NOTHING: Final = Behaviour()


@dataclass(eq=False)
class BehaviourReader:
    """Reads functions, each once."""

    sources: Sources
    _known: dict[tuple[ast.AST, int], Behaviour] = field(default_factory=dict, repr=False)
    _called_by: dict[ast.AST, tuple[Node[Any], ...]] = field(default_factory=dict, repr=False)
    _by_itself: dict[ast.AST, Behaviour] = field(default_factory=dict, repr=False)

    def of(self, call: Callable[..., Any]) -> Behaviour:
        """What a callable does; nothing, where there is no source."""
        definition = self.sources.definition(call)
        return _NOTHING if definition is None else self.of_definition(definition)

    def when_called(self, call: Callable[..., Any]) -> Behaviour:
        """What happens when it is called: of a class, what its constructor does and not its other methods."""
        bare = unwrapped(call)
        if not inspect.isclass(bare):
            return self.of(call)
        behaviour = _NOTHING
        for name in ("__init__", "__post_init__", "__new__"):
            if inspect.isfunction(constructor := getattr(bare, name, None)):
                behaviour |= self.of(constructor)
        return behaviour

    def of_definition(self, definition: Node[Any], depth: int = 0) -> Behaviour:
        """What a function does; of a class, all of its methods."""
        key = (definition.syntax, depth)  # what was read at the end of a long way is not all there is
        if key not in self._known:
            behaviour = self._read(definition.source, definition.syntax)
            if depth < _DEPTH:
                for called in self.calls(definition):
                    behaviour |= self.of_definition(called, depth + 1)
            self._known[key] = behaviour
        return self._known[key]

    def by_itself(self, definition: Node[Any]) -> Behaviour:
        """What code does without what it calls."""
        return self._read(definition.source, definition.syntax)

    def calls(self, definition: Node[Any]) -> tuple[Node[Any], ...]:
        """The functions that code calls, as far as they can be followed."""
        if definition.syntax not in self._called_by:
            self._called_by[definition.syntax] = tuple(self._called(definition))
        return self._called_by[definition.syntax]

    def _called(self, definition: Node[Any]) -> Iterator[Node[Any]]:
        """Functions that a function calls, of the app's own and of its own file; methods of its own class too."""
        source = definition.source
        own_class = source.class_of(definition.syntax)
        for call in walk(definition.syntax):
            if not isinstance(call, ast.Call):
                continue
            if (source.name_of(call.func) or "").rpartition(".")[2] in _RUN_ELSEWHERE:
                yield from self._functions_in(source, call.args)
            match call.func:
                case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name) if own_class is not None:
                    yield from self._method(Node(source, own_class), name)
                case ast.Attribute(value=ast.Name(id=parameter), attr=name) if (
                    kind := self._annotated(definition, parameter)
                ) is not None:
                    yield from self._method(kind, name)
                case _:
                    found = self.sources.resolve(Node(source, call.func))
                    if isinstance(found.syntax, ast.FunctionDef | ast.AsyncFunctionDef):
                        yield found
                    elif isinstance(call.func, ast.Attribute):
                        yield from self._method_of_instance(Node(source, call.func.value), call.func.attr)
                    elif isinstance(found.syntax, ast.Call):  # an instance that is called
                        yield from self._method_of_instance(found, "__call__")

    def _functions_in(self, source: Source, passed: list[ast.expr]) -> Iterator[Node[Any]]:
        for value in passed:
            found = self.sources.resolve(Node(source, value))
            if isinstance(found.syntax, ast.FunctionDef | ast.AsyncFunctionDef):
                yield found

    def _annotated(self, definition: Node[Any], parameter: str) -> Node[ast.ClassDef] | None:
        """The class of the app's own that a parameter is annotated with, in `Annotated` too."""
        arguments = getattr(definition.syntax, "args", None)
        if not isinstance(arguments, ast.arguments):
            return None
        for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
            if argument.arg == parameter and argument.annotation is not None:
                for name in ast.walk(self.sources.resolve(Node(definition.source, argument.annotation)).syntax):
                    found = self.sources.resolve(Node(definition.source, name))
                    if isinstance(found.syntax, ast.ClassDef):
                        return found
        return None

    def _method_of_instance(self, owner: Node[Any], name: str) -> Iterator[Node[Any]]:
        """The method of `auth = Auth(…)`, or of a class, that is called by its name."""
        made = self.sources.resolve(owner)
        if isinstance(made.syntax, ast.Call):
            made = self.sources.resolve(Node(made.source, made.syntax.func))
        if isinstance(made.syntax, ast.ClassDef):
            yield from self._method(made, name)

    def _method(self, owner: Node[ast.ClassDef], name: str) -> Iterator[Node[Any]]:
        if (method := self.sources.method(owner, name)) is not None:
            yield method

    def _read(self, source: Source, syntax: ast.AST) -> Behaviour:
        if syntax not in self._by_itself:
            refusals = RefusalReader(self.sources)
            found = [status for node in walk(syntax) if (status := refusals.of(source, node)) is not None]
            reads = frozenset(read_in(source, syntax))
            self._by_itself[syntax] = Behaviour(reads, bool(found), frozenset().union(*found))
        return self._by_itself[syntax]
