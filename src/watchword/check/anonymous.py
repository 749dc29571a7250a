"""What becomes of a caller who shows nothing: code followed through its branches, as far as they are clear."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from watchword.check.behaviour import BehaviourReader
from watchword.check.credentials import CONNECTIONS, is_credential, read_at, reads_named_header
from watchword.check.source import FunctionNode, Node, Source, arguments

_DEPTH: Final = 3  # from function to function
_PASSING: Final = frozenset({"call_next", "app"})


class Course(Enum):
    """How far a caller gets in some statements."""

    FURTHER = "to what stands below"
    IN = "through"
    UNCLEAR = "nobody can say from here"


@dataclass(eq=False)
class _Walk:
    """One way through a function, with nothing shown.

    Attributes:
        source: Its file.
        behaviours: What other functions do.
        function: It.
        absent: Names that stand for nothing: what was not shown.
        is_middleware: What lets in is calling the app behind it; else it is returning.
        is_handler: What it returns is the answer, and not somebody whom it found.
        depth: How many functions were gone into.
        returned: What was returned: False stands for nothing, None for what cannot be told.
    """

    source: Source
    behaviours: BehaviourReader
    function: FunctionNode
    absent: set[str]
    is_middleware: bool
    is_handler: bool = False
    depth: int = 0
    returned: set[bool | None] = field(default_factory=set)

    def through(self, statements: Iterable[ast.stmt]) -> Course:
        for statement in statements:
            course = self._one(statement)
            if course is not Course.FURTHER:
                return course
        return Course.FURTHER

    def _one(self, statement: ast.stmt) -> Course:
        match statement:
            case ast.If():
                return self._branch(statement)
            case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=finally_):
                # what is raised where nothing was shown cannot be told, so nobody who is caught may be refused
                refuses = any(self._may_refuse(caught) for handler in handlers for caught in handler.body)
                return Course.UNCLEAR if refuses else self.through([*body, *orelse, *finally_])
            case ast.With(body=body) | ast.AsyncWith(body=body):
                return self.through(body)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() | ast.Pass():
                return Course.FURTHER
        return Course.UNCLEAR if self._may_refuse(statement) or self.hands_on(statement) else self._simple(statement)

    def _simple(self, statement: ast.stmt) -> Course:
        match statement:
            case ast.Return(value=value):
                self.returned.add(False if value is None else self.holds(value))
                return Course.IN if self._lets_in(value) else Course.UNCLEAR
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ):
                self.absent.discard(name)
                if self.holds(value) is False:
                    self.absent.add(name)
            case ast.Assign() | ast.AnnAssign() | ast.AugAssign() | ast.Delete() | ast.Expr():
                pass
            case ast.Import() | ast.ImportFrom():
                pass
            case _:
                return Course.UNCLEAR
        return Course.IN if self.is_middleware and _passes(statement) else Course.FURTHER

    def _branch(self, branch: ast.If) -> Course:
        holds = self.holds(branch.test)
        if holds is not None:
            return self.through(branch.body if holds else branch.orelse)
        before = set(self.absent)
        courses = {self.through(branch.body)}
        absent, self.absent = self.absent, before
        courses.add(self.through(branch.orelse))
        self.absent &= absent
        for course in (Course.UNCLEAR, Course.FURTHER):
            if course in courses:
                return course
        return Course.IN

    def holds(self, test: ast.expr) -> bool | None:
        """Whether a condition holds; None where that depends on something else."""
        holds: bool | None = None
        match test:
            case ast.Name(id=name) if name in self.absent:
                holds = False
            case ast.Constant(value=value):
                holds = bool(value)
            case ast.Await(value=inner):
                holds = self.holds(inner)
            case ast.UnaryOp(op=ast.Not(), operand=inner) if (opposite := self.holds(inner)) is not None:
                holds = not opposite
            case ast.BoolOp(op=operator, values=values):
                each = [self.holds(value) for value in values]
                decisive = isinstance(operator, ast.Or)
                holds = decisive if decisive in each else None if None in each else not decisive
            case ast.Compare():
                holds = self._compared(test)
            case ast.Call() | ast.Attribute() if self._is_read(test):
                holds = self._read(test)
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if _looks_for(name, test):
                holds = False
            case ast.Call():
                holds = self._called(test)
        return holds

    def _is_instance(self, value: ast.expr, kind: ast.expr) -> bool | None:
        """What was not shown is no user, of whatever class those are."""
        is_class_of_the_app = ast.unparse(kind).rpartition(".")[2][:1].isupper()
        return False if is_class_of_the_app and self.holds(value) is False else None

    def _called(self, call: ast.Call) -> bool | None:
        """What a function of the app's own returns: False where that is nothing, as nothing was shown."""
        match call:
            case ast.Call(func=ast.Name(id="isinstance"), args=[value, kind]):
                return self._is_instance(value, kind)
        functions = [found for found in self.behaviours.calls(Node(self.source, call)) if _is_of(found, call)]
        walk = self._into(functions[0]) if len(functions) == 1 else None
        if walk is None or walk.to_its_end() is Course.UNCLEAR:
            return None
        return False if walk.returned <= {False} else None

    def _into(self, called: Node[Any]) -> "_Walk | None":
        is_function = isinstance(called.syntax, ast.FunctionDef | ast.AsyncFunctionDef)
        if not is_function or self.depth == _DEPTH:
            return None
        absent = {name for name in _parameters(called.syntax) if is_credential(name)}
        return _Walk(called.source, self.behaviours, called.syntax, absent, is_middleware=False, depth=self.depth + 1)

    def to_its_end(self) -> Course:
        """How far a caller gets in the function."""
        return self.through(self.function.body)

    def _compared(self, test: ast.Compare) -> bool | None:
        match test:
            case ast.Compare(ops=[ast.In() | ast.NotIn() as operator]) if self._is_read(test):
                return isinstance(operator, ast.NotIn)
            case ast.Compare(left=left, ops=[operator], comparators=[ast.Constant(value=value)]) if self._is_none(left):
                if isinstance(operator, ast.Is | ast.Eq):
                    return value is None
                return value is not None if isinstance(operator, ast.IsNot | ast.NotEq) else None
        return None

    def _is_none(self, value: ast.expr) -> bool:
        is_plain = isinstance(value, ast.Name | ast.Attribute | ast.Call | ast.Await)
        return is_plain and self.holds(value) is False

    def _read(self, value: ast.expr) -> bool | None:
        """What is there instead of what was not shown."""
        match value:
            case ast.Call(func=ast.Attribute(attr="get"), args=[_, default]):
                return self.holds(default)
            case ast.Call(func=ast.Name(id="getattr"), args=[_, _, default]):
                return self.holds(default)
            case ast.Call(func=ast.Name(id="getattr")):
                return None  # it raises
        return False

    def _is_read(self, node: ast.expr) -> bool:
        return read_at(self.source, node) is not None or reads_named_header(node)

    def _may_refuse(self, statement: ast.stmt) -> bool:
        definition = Node(self.source, statement)
        if not self.behaviours.of_definition(definition).refuses:
            return False
        calls = self.behaviours.calls(definition)
        return self.behaviours.by_itself(definition).refuses or not all(self._spares(call) for call in calls)

    def _spares(self, called: Node[Any]) -> bool:
        """Whether a function that is called surely refuses nobody who shows nothing."""
        if not self.behaviours.of_definition(called).refuses:
            return True
        walk = self._into(called)
        return walk is not None and walk.to_its_end() is not Course.UNCLEAR

    def hands_on(self, statement: ast.stmt) -> bool:
        """Whether what was not shown goes to a function that cannot be read, which may refuse it."""
        for call in (node for node in ast.walk(statement) if isinstance(node, ast.Call)):
            given = {value.id for value in arguments(call) if isinstance(value, ast.Name)}
            found = self.behaviours.sources.resolve(Node(self.source, call.func)).syntax
            if given & self.absent and not isinstance(found, ast.FunctionDef | ast.AsyncFunctionDef):
                return True
        return False

    def _lets_in(self, value: ast.expr | None) -> bool:
        if self.is_middleware:
            return value is not None and _passes(value)
        calls = [] if value is None else [node for node in ast.walk(value) if isinstance(node, ast.Call)]
        return all(self._only_makes(call) or (self.is_handler and not _is_given_request(call)) for call in calls)

    def _only_makes(self, call: ast.Call) -> bool:
        return (self.source.name_of(call.func) or "").rpartition(".")[2][:1].isupper()


def passes_middleware(definition: Node[Any], behaviours: BehaviourReader) -> bool:
    """Whether a middleware surely lets somebody through who shows nothing, whatever it does with others."""
    function = _acting(definition.syntax)
    if function is None:
        return False
    walk = _Walk(definition.source, behaviours, function, set(), is_middleware=True)
    return walk.to_its_end() is Course.IN


def passes_function(
    definition: Node[Any],
    behaviours: BehaviourReader,
    absent: frozenset[str] = frozenset(),
    *,
    is_handler: bool = False,
) -> bool:
    """The same of a handler, or of a dependency in front of which nothing else refuses: a user who is optional.

    What was not shown is absent: the parameters that are said to be, and those named like a credential.
    """
    function = _acting(definition.syntax)
    if function is None:
        return False
    named = {name for name in _parameters(function) if is_credential(name)}
    walk = _Walk(definition.source, behaviours, function, {*absent, *named}, is_middleware=False, is_handler=is_handler)
    return walk.to_its_end() is not Course.UNCLEAR


def hands_on(definition: Node[Any], behaviours: BehaviourReader, shown: frozenset[str]) -> bool:
    """Whether a function gives what was shown to another that cannot be read, and that may refuse it."""
    function = _acting(definition.syntax)
    if function is None:
        return False
    names = {*shown, *(name for name in _parameters(function) if is_credential(name))}
    walk = _Walk(definition.source, behaviours, function, names, is_middleware=False)
    return any(walk.hands_on(statement) for statement in function.body)


def refuses_everybody(definition: Node[Any]) -> bool:
    """Whether a function does nothing but raise."""
    function = _acting(definition.syntax)
    statements = [] if function is None else [s for s in function.body if not _is_docstring(s)]
    return len(statements) == 1 and isinstance(statements[0], ast.Raise)


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _acting(syntax: ast.AST) -> FunctionNode | None:
    if isinstance(syntax, ast.FunctionDef | ast.AsyncFunctionDef):
        return syntax
    methods = {m.name: m for m in getattr(syntax, "body", ()) if isinstance(m, ast.FunctionDef | ast.AsyncFunctionDef)}
    return methods.get("dispatch") or methods.get("__call__")


def _is_of(found: Node[Any], call: ast.Call) -> bool:
    """Whether a function is what a call calls, and not one in its arguments."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", None)
    return getattr(found.syntax, "name", None) == name


def _looks_for(name: str, call: ast.Call) -> bool:
    """Whether a function, by its name and by what it is given, finds the credential in a request."""
    given = (ast.unparse(value).rpartition(".")[2] for value in arguments(call))
    return is_credential(name) and any(
        last in {"request", "headers", "cookies", "scope", "websocket"} for last in given
    )


def _is_given_request(call: ast.Call) -> bool:
    return any(isinstance(value, ast.Name) and value.id in CONNECTIONS for value in arguments(call))


def _parameters(function: FunctionNode) -> Iterator[str]:
    for argument in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs):
        yield argument.arg


def _passes(node: ast.AST) -> bool:
    """Whether the app behind a middleware is called there."""
    names = (inner.func for inner in ast.walk(node) if isinstance(inner, ast.Call))
    return any(
        (isinstance(func, ast.Name) and func.id in _PASSING) or (isinstance(func, ast.Attribute) and func.attr == "app")
        for func in names
    )
