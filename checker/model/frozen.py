"""Frozen classes with slots, as `dataclass(frozen=True, slots=True)` makes them, in a tenth of the time at import.

What `dataclasses` itself asks of a class (`fields`, `asdict`) is made when it is asked: to import it takes 8 ms.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, dataclass_transform

__all__ = ["field", "frozen", "replace"]

_NONE: Any = object()
Class = TypeVar("Class", bound=type[Any])


class Option(NamedTuple):
    """What a field has of its own."""

    default: Any = _NONE
    default_factory: Any = _NONE
    compare: bool = True
    repr: bool = True


def field(*, default: Any = _NONE, default_factory: Any = _NONE, compare: bool = True, repr: bool = True) -> Any:
    """A field with a default that is made each time, or that says nothing of equality or of the text of a value."""
    return Option(default, default_factory, compare, repr)


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: Class) -> Class:
    """The class with slots, a constructor, equality, hash and text of its fields; it cannot be changed."""
    inherited: dict[str, Option] = {}
    for base in reversed(cls.__mro__[1:]):
        inherited |= base.__dict__.get("__options__", {})
    own = {name: cls.__dict__.get(name, _NONE) for name in vars(cls).get("__annotations__", {})}
    options = inherited | {name: value if isinstance(value, Option) else Option(value) for name, value in own.items()}
    kept = {name: value for name, value in cls.__dict__.items() if name not in (*own, "__dict__", "__weakref__")}
    compared = [name for name, option in options.items() if option.compare]
    made = {
        "__slots__": tuple(name for name in own if name not in inherited),
        "__match_args__": tuple(options),
        "__options__": options,
        "__dataclass_fields__": _Fields(),
        "__init__": _first,
        "__eq__": _equal,
        "__hash__": _hash,
        "__repr__": _text,
        "__key__": staticmethod(attrgetter(*compared)),
        "__setattr__": _refuse,
        "__delattr__": _refuse,
        "__getstate__": _state,
        "__setstate__": _restore,
        "__qualname__": cls.__qualname__,
    }
    build: Any = type(cls)
    found: Class = build(cls.__name__, cls.__bases__, {**made, **kept})
    return found


if TYPE_CHECKING:
    from dataclasses import replace
else:

    def replace(value, /, **changes):
        """The value with some fields changed."""
        kept = {name: getattr(value, name) for name in value.__match_args__ if name not in changes}
        return type(value)(**kept, **changes)


def _first(self: Any, *values: Any, **named: Any) -> None:
    """The constructor of a class that has built nothing yet: it makes the one that will build the next ones."""
    cls = type(self)
    cls.__init__ = _constructor(cls)
    cls.__init__(self, *values, **named)


def _constructor(cls: Any) -> Callable[..., None]:
    known: dict[str, Any] = {"_none": _NONE}
    arguments, body = [], []
    for name, option in cls.__options__.items():
        known[f"_set_{name}"] = getattr(cls, name).__set__
        value = name
        if option.default_factory is not _NONE:
            known[f"_make_{name}"] = option.default_factory
            arguments.append(f"{name}=_none")
            value = f"_make_{name}() if {name} is _none else {name}"
        elif option.default is not _NONE:
            known[f"_default_{name}"] = option.default
            arguments.append(f"{name}=_default_{name}")
        else:
            arguments.append(name)
        body.append(f"    _set_{name}(self, {value})")
    exec(f"def __init__(self, {', '.join(arguments)}):\n" + "\n".join(body), known)  # names of fields only
    made: Callable[..., None] = known["__init__"]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    return made


def _equal(self: Any, other: Any) -> Any:
    if other.__class__ is not self.__class__:
        return NotImplemented
    return self.__key__(self) == self.__key__(other)


def _hash(self: Any) -> int:
    return hash(self.__key__(self))


def _text(self: Any) -> str:
    shown = [f"{name}={getattr(self, name)!r}" for name, option in self.__options__.items() if option.repr]
    return f"{self.__class__.__qualname__}({', '.join(shown)})"


def _refuse(self: Any, name: str, *values: Any) -> None:
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"cannot assign to field {name!r}" if values else f"cannot delete field {name!r}")


def _state(self: Any) -> list[Any]:
    return [getattr(self, name) for name in self.__options__]


def _restore(self: Any, state: list[Any]) -> None:
    for name, value in zip(self.__options__, state, strict=True):
        object.__setattr__(self, name, value)


class _Fields:
    """The fields of a class as `dataclasses` describes them."""

    def __get__(self, value: object, cls: Any) -> Any:
        import dataclasses

        namespace: dict[str, Any] = {"__annotations__": dict.fromkeys(cls.__options__, Any), "__doc__": cls.__doc__}
        for name, option in cls.__options__.items():
            given = {key: item for key, item in zip(Option._fields, option, strict=True) if item is not _NONE}
            namespace[name] = dataclasses.field(**given, kw_only=False)
        bare: Any = dataclasses.dataclass(init=False, repr=False, eq=False)(type(cls.__name__, (), namespace))
        found = bare.__dataclass_fields__
        cls.__dataclass_fields__ = found
        return found
