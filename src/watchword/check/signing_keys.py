"""The secrets that tokens and session cookies are signed with, where they stand in the source."""

import ast
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from weakref import WeakKeyDictionary

from watchword.check.functions import assigned, is_function
from watchword.check.key_uses import KeyUse, key_uses
from watchword.check.known_secrets import is_well_known
from watchword.check.model import Certainty
from watchword.check.source import Node, argument
from watchword.check.sources import Sources

_ENVIRONMENT: Final = frozenset({"os.getenv", "os.environ.get", "os.environ.setdefault", "environ.get"})
_READS_SETTINGS: Final = re.compile(r"(^|\.)(config|env|getenv|get_env|env\.str)$", re.IGNORECASE)
_WRAPPERS: Final = frozenset({"SecretStr", "SecretBytes", "Secret", "str", "bytes", "import_key", "OctKey"})
_METHODS: Final = frozenset({"get_secret_value", "encode", "strip"})
_ENVIRONMENTS: Final = re.compile(r"debug|dev|local|test|prod|env\b|environment|__name__", re.IGNORECASE)
_OF_TESTS: Final = re.compile(r"(^|_)(tests?|conftest)($|_)|(^|\.)tests?\.", re.IGNORECASE)
_FOR_TESTS: Final = re.compile(
    r"^(test|dev|local|mock|fake|example)|(test(ing)?|dev(elopment)?|local)(settings|config)?$", re.IGNORECASE
)

_MOST_BASES: Final = 5


class Fault(StrEnum):
    """What is wrong with a key in the source; the first that is true is what is said."""

    WELL_KNOWN = "well-known"
    SHORT = "short"
    IN_SOURCE = "in source"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key that somebody wrote down.

    Attributes:
        literal: Where.
        value: It.
        name: What the code calls it.
        least: How many bytes it must have.
        is_default: Something else may take its place, such as a variable of the environment.
    """

    literal: Node[ast.expr]
    value: bytes
    name: str
    least: int
    is_default: bool

    @property
    def fault(self) -> Fault:
        """What is wrong with it."""
        text = self.value.decode("utf-8", "replace")
        if is_well_known(text):
            return Fault.WELL_KNOWN
        is_short = len(self.value) < self.least and not text.lstrip().startswith("-----BEGIN")
        return Fault.SHORT if is_short else Fault.IN_SOURCE

    @property
    def what(self) -> str:
        """What it is, to begin a sentence with."""
        return f"the default of {self.name.removeprefix('DEFAULT_')}" if self.is_default else self.name

    @property
    def certainty(self) -> Certainty:
        """A default is in force only where nothing else is set."""
        return Certainty.LIKELY if self.is_default else Certainty.CERTAIN


_known: Final["WeakKeyDictionary[Sources, list[SigningKey]]"] = WeakKeyDictionary()


def signing_keys(sources: Sources) -> list[SigningKey]:
    """Each key that stands in the source, once."""
    if sources not in _known:  # three rules ask
        _known[sources] = _read(sources)
    return _known[sources]


def _read(sources: Sources) -> list[SigningKey]:
    found: dict[tuple[object, int, int], SigningKey] = {}
    for use in key_uses(sources):
        key = _literal(use, sources)
        if key is None or _is_public(key.value) or _is_for_tests(key) or _is_refused(key, sources):
            continue
        place = key.literal.location
        found.setdefault((place.path, place.line, place.column), key)
    return list(found.values())


def _literal(use: KeyUse, sources: Sources) -> SigningKey | None:
    """The literal that a key comes down to."""
    node, is_default, name = use.key, _is_fallback(use.key), use.name
    for _hop in range(8):
        if isinstance(node.syntax, ast.Name | ast.Attribute):
            name = str(getattr(node.syntax, "id", None) or getattr(node.syntax, "attr", name))
            if _is_assigned_twice(node):
                return None
        node = sources.resolve(node)
        if isinstance(node.syntax, ast.Constant):
            value = node.syntax.value
            if not isinstance(value, str | bytes):
                return None
            is_default = is_default or _is_field_of_settings(node, sources) or _is_conditional(node)
            raw = value.encode("utf-8", "replace") if isinstance(value, str) else value
            return SigningKey(node, raw, _assigned_name(node) or name, use.least, is_default)
        inner, may_be_set = _inside(node)
        if inner is None:
            return None
        node, is_default = node.source.node(inner), is_default or may_be_set
    return None


def _is_fallback(key: Node[Any]) -> bool:
    """Whether it is assigned on a condition: `if key is None: key = DEFAULT_KEY`."""
    above = list(key.source.parents(key.syntax))
    is_assigned = isinstance(next(iter(above), None), ast.Assign | ast.AnnAssign)
    return is_assigned and any(isinstance(parent, ast.If) for parent in above)


def _inside(node: Node[Any]) -> tuple[ast.expr | None, bool]:
    """What an expression wraps, and whether that is only a default."""
    match node.syntax:
        case ast.BoolOp(op=ast.Or(), values=[*_, last]):
            return last, True
        case ast.Call(func=ast.Attribute(value=inner, attr=method)) if method in _METHODS:
            return inner, False
        case ast.Call() as call:
            return _inside_call(call, node.source.name_of(call.func) or "")
    return None, False


def _inside_call(call: ast.Call, name: str) -> tuple[ast.expr | None, bool]:
    last_part = name.rpartition(".")[2]
    if last_part in _WRAPPERS:
        return (call.args[0] if call.args else None), False
    if last_part == "Field":
        return argument(call, "default", 0), True
    if name in _ENVIRONMENT or _READS_SETTINGS.search(name):
        return argument(call, "default", 1), True
    return None, False


def _is_assigned_twice(node: Node[Any]) -> bool:
    """Whether a local name has several values; which one holds, nobody can say from here."""
    function = node.source.function_of(node.syntax)
    return function is not None and isinstance(node.syntax, ast.Name) and len(assigned(function, node.syntax.id)) > 1


def _assigned_name(node: Node[Any]) -> str | None:
    for parent in node.source.parents(node.syntax):
        match parent:
            case (
                ast.Assign(targets=[ast.Name(id=name) | ast.Attribute(attr=name)])
                | ast.AnnAssign(target=ast.Name(id=name))
            ):
                return name
            case ast.stmt():
                return None
    return None


def _is_field_of_settings(node: Node[Any], sources: Sources) -> bool:
    """Whether it stands in a class whose fields the environment overrides."""
    kind = node.source.class_of(node.syntax)
    return kind is not None and _reads_environment(Node(node.source, kind), sources, 0)


def _reads_environment(kind: Node[ast.ClassDef], sources: Sources, depth: int) -> bool:
    for base in kind.syntax.bases:
        if (kind.source.name_of(base) or "").rpartition(".")[2] in {"BaseSettings", "AuthXConfig"}:
            return True
        above = sources.resolve(kind.source.node(base))
        if (
            isinstance(above.syntax, ast.ClassDef)
            and depth < _MOST_BASES
            and _reads_environment(above, sources, depth + 1)
        ):
            return True
    return False


def _is_conditional(node: Node[Any]) -> bool:
    return any(isinstance(parent, ast.If | ast.Try) for parent in node.source.parents(node.syntax))


def _is_public(value: bytes) -> bool:
    return value.lstrip().startswith(b"-----BEGIN") and b"PRIVATE KEY" not in value


def _is_for_tests(key: SigningKey) -> bool:
    """Whether it stands where only a test or a developer's machine uses it."""
    source = key.literal.source
    parents = list(source.parents(key.literal.syntax))
    tests = [ast.unparse(parent.test) for parent in parents if isinstance(parent, ast.If)]
    return (
        bool(_OF_TESTS.search(source.module))
        or any(isinstance(parent, ast.ClassDef) and _FOR_TESTS.search(parent.name) for parent in parents)
        or any(
            re.search(r"debug|dev|local|test|prod|env\b|environment|__name__", test, re.IGNORECASE) for test in tests
        )
    )


def _is_refused(key: SigningKey, sources: Sources) -> bool:
    """Whether the app does not start with a default: it compares the name or the value, and raises."""
    source = key.literal.source
    kind = source.class_of(key.literal.syntax)
    methods = [node for node in kind.body if is_function(node)] if kind is not None else []
    if any(_mentions(method, key) for method in methods) and any(_raises(method) for method in methods):
        return True
    tests: list[tuple[ast.expr, ast.stmt]] = [(node.syntax.test, node.syntax) for node in sources.all(ast.If)]
    tests += [(node.syntax.test, node.syntax) for node in sources.all(ast.Assert)]
    return any(_mentions(test, key) and _raises(statement) for test, statement in tests)


def _raises(node: ast.AST) -> bool:
    return any(
        isinstance(inner, ast.Raise | ast.Assert)
        or (isinstance(inner, ast.Call) and ast.unparse(inner.func) in {"sys.exit", "exit", "quit"})
        for inner in ast.walk(node)
    )


def _mentions(node: ast.AST, key: SigningKey) -> bool:
    value = key.value.decode("utf-8", "replace")
    for inner in ast.walk(node):
        match inner:
            case ast.Name(id=name) | ast.Attribute(attr=name) if name == key.name:
                return True
            case ast.Constant(value=str(text)) if text in {key.name, value}:
                return True
    return False
