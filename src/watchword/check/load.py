"""From what the command line names to a FastAPI app, without serving anything."""

import importlib
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from starlette.applications import Starlette

from watchword.check.errors import CheckError
from watchword.check.explaining import explaining

_FACTORIES: Final = ("create_app", "get_app", "make_app", "build_app")


@dataclass(frozen=True, slots=True)
class Target:
    """An app, and where it was found.

    Attributes:
        name: As it was named: `shop.main:app`.
        app: It.
        module: The module that holds it.
        variable: What it is called there; `create_app()` for what a factory made.
    """

    name: str
    app: Starlette
    module: ModuleType
    variable: str


def load(name: str, *, is_factory: bool = False) -> Target:
    """Import an app.

    Args:
        name: `module:variable` or `path/to/file.py:variable`. Without a variable: the module's only app, or its `app`.
        is_factory: What is named is a function without arguments that returns the app.

    Raises:
        CheckError: There is no such module, it cannot be imported, or holds no such app. The text says which.
    """
    place, _, variable = name.rpartition(":") if ":" in name.removeprefix(Path(name).drive) else (name, "", "")
    module = _module(place)
    factories = [key for key in _FACTORIES if callable(getattr(module, key, None))]
    if is_factory:
        return _from_factory(place, module, variable or next(iter(factories), _FACTORIES[0]))
    if variable:
        return Target(name, _app(_attribute(module, variable), place, variable), module, variable)
    apps = {key: value for key, value in vars(module).items() if isinstance(value, Starlette)}
    if "app" in apps or len({id(app) for app in apps.values()}) == 1:
        variable = "app" if "app" in apps else next(iter(apps))
        return Target(f"{place}:{variable}", apps[variable], module, variable)
    if apps:
        raise CheckError(f"{place} has several apps: name one of {', '.join(f'{place}:{key}' for key in sorted(apps))}")
    hint = f"try {place}:{factories[0]} --factory" if factories else "name the variable that holds it, module:variable"
    raise CheckError(f"{place} has no FastAPI app: {hint}")


def _module(place: str) -> ModuleType:
    path = Path(place)
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    if path.suffix == ".py" or path.is_dir():
        return _from_path(path)
    if not all(part.isidentifier() for part in place.split(".")):
        raise CheckError(f"{place!r} is neither a module nor a Python file: name the app as module:variable")
    return _imported(place)


def _from_path(path: Path) -> ModuleType:
    """The module of a file or folder."""
    if not path.exists():
        raise CheckError(f"there is no file {path}")
    file = path.resolve()
    if file.is_dir():
        inside = [file / name for name in ("main.py", "app.py", "__init__.py") if (file / name).exists()]
        if not inside:
            raise CheckError(f"{path} holds no main.py, app.py or __init__.py: name the file with the app")
        file = inside[0]
    name = _importable(file)
    module = _imported(name)
    if Path(module.__file__ or "").resolve() != file:
        raise CheckError(
            f"{path} is hidden by another module {name}, {module.__file__ or 'built in'}: rename one of them"
        )
    return module


def _importable(file: Path) -> str:
    """The dotted name of a file, whose root is put on the path: the folder above its outermost package."""
    parts = [] if file.stem == "__init__" else [file.stem]
    folder = file.parent
    while (folder / "__init__.py").exists():
        parts.insert(0, folder.name)
        folder = folder.parent
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    return ".".join(parts)


def _imported(name: str) -> ModuleType:
    with explaining(f"importing {name}"):
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
                raise CheckError(f"there is no module {error.name}: run this where `import {name}` works") from None
            raise


def _from_factory(place: str, module: ModuleType, variable: str) -> Target:
    factory = _attribute(module, variable)
    if isinstance(factory, Starlette):
        raise CheckError(f"{place}:{variable} is the app itself: leave out --factory")
    if not callable(factory):
        raise CheckError(f"{place}:{variable} is no function but a {type(factory).__name__}")
    needed = _needed_arguments(factory)
    if needed:
        raise CheckError(f"{variable}() needs {', '.join(needed)}: name a function that needs no arguments")
    with explaining(f"calling {variable}()"):
        app = factory()
    if inspect.iscoroutine(app):
        app.close()
        raise CheckError(f"{variable}() is async: name a plain function that returns the app")
    return Target(f"{place}:{variable}", _app(app, place, f"{variable}()"), module, f"{variable}()")


def _needed_arguments(call: Callable[..., Any]) -> list[str]:
    try:
        parameters = inspect.signature(call).parameters.values()
    except (TypeError, ValueError):  # written in C
        return []
    optional = {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}
    return [p.name for p in parameters if p.default is p.empty and p.kind not in optional]


def _attribute(module: ModuleType, variable: str) -> Any:  # noqa: ANN401 — whatever the module holds
    value: Any = module
    for part in variable.split("."):
        try:
            value = getattr(value, part)
        except AttributeError:
            raise CheckError(f"module {module.__name__} has no {variable}") from None
    return value


def _app(value: object, place: str, variable: str) -> Starlette:
    """The app itself, or the one that a wrapper in ASGI fashion holds."""
    wrapped = value
    for _depth in range(10):
        if isinstance(wrapped, Starlette):
            return wrapped
        wrapped = getattr(wrapped, "app", None) or getattr(wrapped, "other_asgi_app", None)
    if inspect.isfunction(value):
        raise CheckError(f"{place}:{variable} is a function: add --factory if it returns the app")
    raise CheckError(f"{place}:{variable} is no FastAPI app but a {type(value).__name__}")
