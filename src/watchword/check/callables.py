"""Callables, seen through what wraps them."""

import inspect
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from fastapi.security.base import SecurityBase


def layers_of(call: Callable[..., Any]) -> Iterator[Any]:
    """A callable and what it wraps, from the outside in: partials, and decorators that say what they wrap."""
    seen: set[int] = set()
    while id(call) not in seen:
        seen.add(id(call))
        yield call
        if isinstance(call, partial):
            call = call.func
            continue
        held = getattr(call, "__dict__", {})
        call = held.get("__wrapped__") or held.get("__func_impl__") or call  # the second one is makefun's


def unwrapped(call: Callable[..., Any]) -> Any:  # noqa: ANN401 — a function, a method, a class or an instance
    """The innermost of them."""
    *_, innermost = layers_of(call)
    return innermost


def name_of(call: Callable[..., Any]) -> str:
    """Its name; of an instance, its class's."""
    call = unwrapped(call)
    return getattr(call, "__name__", None) or type(call).__name__


def package_of(call: Callable[..., Any]) -> str:
    """The top-level package it comes from."""
    return module_of(call).partition(".")[0]


def module_of(call: Callable[..., Any]) -> str:
    """The module it comes from; of an instance, its class's."""
    call = unwrapped(call)
    if not (inspect.isroutine(call) or inspect.isclass(call)):
        call = type(call)
    return getattr(call, "__module__", None) or ""


def is_scheme(call: object) -> bool:
    """Whether it is a security scheme, as FastAPI knows them."""
    return isinstance(call, SecurityBase)


def held_by(call: Callable[..., Any]) -> dict[str, Any]:
    """What a function that another one made holds of it, by name; of an instance, its attributes; of a partial too."""
    held: dict[str, Any] = {}
    for layer in layers_of(call):
        if isinstance(layer, partial):
            held = {**layer.keywords, **held}
    return held_by_wrapper(unwrapped(call)) | held


def held_by_wrapper(call: Callable[..., Any]) -> dict[str, Any]:
    """The same of a decorator's function, and not of what it wraps."""
    function = getattr(call, "__func__", call)
    code, cells = getattr(function, "__code__", None), getattr(function, "__closure__", None)
    if code is None:
        return {} if inspect.isclass(call) else dict(getattr(call, "__dict__", {}))
    held = {}
    for name, cell in zip(code.co_freevars, cells or (), strict=False):
        try:
            held[name] = cell.cell_contents
        except ValueError:  # never assigned
            continue
    return held
