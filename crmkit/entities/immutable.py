"""Mappings that nobody can change, for what several readers share."""

from __future__ import annotations

from typing import Any, NoReturn, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class FrozenDict(dict[K, V]):
    """A dict that raises TypeError on every change; unlike a mappingproxy, JSON writes it.

    Example:
        >>> FrozenDict(a=1)["a"] = 2
        Traceback (most recent call last):
        TypeError: this mapping cannot be changed; copy it with dict(...)
    """

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("this mapping cannot be changed; copy it with dict(...)")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        return (FrozenDict, (dict(self),))


def frozen(value: Any) -> Any:
    """The value with every list and mapping in it, at any depth, as one that cannot be changed.

    Example:
        >>> frozen({"days": [1, 2]})
        {'days': (1, 2)}
    """
    if type(value) is list or type(value) is tuple:
        return tuple(map(frozen, value))
    if type(value) is dict:
        return FrozenDict({key: frozen(item) for key, item in value.items()})
    return value
