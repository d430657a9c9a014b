"""Keywords of the Python API, checked by name: a wrong one is told the nearest right one."""

from __future__ import annotations

import inspect
from dataclasses import fields
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from harness.errors import ConfigError, one_of

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")


class UnknownKeyword(ConfigError, TypeError):
    """A call names a keyword that the method does not have."""


def checked(*more: str | type[Any]) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """A method whose keywords are its own, and of `more`: names, or dataclasses whose fields it hands on."""
    handed_on = [name for one in more for name in ([one] if isinstance(one, str) else [f.name for f in fields(one)])]

    def decorate(method: Callable[P, T]) -> Callable[P, T]:
        own = inspect.signature(method).parameters.values()
        named = [one.name for one in own if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)]
        allowed = {*named, *handed_on} - {"self"}

        @wraps(method)
        def call(*args: P.args, **given: P.kwargs) -> T:
            for name in given:
                if name not in allowed:
                    raise UnknownKeyword(f"{method.__name__}() has no keyword {name!r}; {one_of(name, allowed)}")
            return method(*args, **given)

        return call

    return decorate
