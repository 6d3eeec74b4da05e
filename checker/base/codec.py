"""Immutable values as plain JSON data and back: a table of nodes, each built from earlier ones, equal ones once.

Only the types that the caller lists can be built, by their own constructors, and nothing is ever looked up by name
elsewhere: data of any origin gives a value of those types or ValueError, never code that runs.
A text, a whole number, a boolean and None stand for themselves; the rest is a list: its first word says what it is.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

NODE, TUPLE, LIST, DICT, DECIMAL, DATE, ENUM, PATH = "n", "t", "l", "d", "q", "j", "e", "p"
_MANY = frozenset((TUPLE, LIST, DICT))


def encode(value: Any, classes: Sequence[type]) -> dict[str, Any]:
    """The value as JSON data; TypeError for a type that is neither plain nor in `classes`."""
    writer = _Writer({known: known.__name__ for known in classes})
    root = writer.value(value)
    return {"nodes": writer.nodes, "root": root}


class _Writer:
    def __init__(self, names: Mapping[type, str]) -> None:
        self.names = names
        self.nodes: list[list[Any]] = []
        self._taken: dict[str, int] = {}

    def value(self, value: Any) -> Any:
        if value is None or type(value) in (bool, int, str):
            return value
        if isinstance(value, Enum):
            return [ENUM, self._name(value), value.value]
        if type(value) is tuple:
            return [TUPLE, *map(self.value, value)]
        if type(value) is list:
            return [LIST, *map(self.value, value)]
        if isinstance(value, Mapping):
            return [DICT, *(self.value(part) for pair in value.items() for part in pair)]
        if isinstance(value, Decimal):
            return [DECIMAL, str(value)]
        if type(value) is dt.date:
            return [DATE, value.isoformat()]
        if isinstance(value, Path):
            return [PATH, str(value)]
        name = self._name(value)
        fields = type(value).__match_args__
        return [NODE, self._node([name, *(self.value(getattr(value, field)) for field in fields)])]

    def _name(self, value: Any) -> str:
        if type(value) not in self.names:
            raise TypeError(f"{type(value)} is not kept")
        return self.names[type(value)]

    def _node(self, node: list[Any]) -> int:
        """Equal nodes are one: by their written form, for 1, True and 1.0 are equal to Python."""
        key = json.dumps(node)
        if key not in self._taken:
            self._taken[key] = len(self.nodes)
            self.nodes.append(node)
        return self._taken[key]


def decode(data: Any, classes: Sequence[type]) -> Any:
    """The value that `encode` wrote; ValueError for anything else."""
    names: dict[str, Callable[..., Any]] = {known.__name__: known for known in classes}
    built: list[Any] = []

    def value(item: Any) -> Any:
        if type(item) is not list:
            return item
        word = item[0]
        if word == NODE:
            return built[item[1]]
        if word in _MANY:
            parts = [value(part) if type(part) is list else part for part in item[1:]]
            if word == TUPLE:
                return tuple(parts)
            return parts if word == LIST else dict(zip(parts[::2], parts[1::2], strict=True))
        return named[word](*item[1:])

    named: dict[str, Callable[..., Any]] = {
        DECIMAL: Decimal,
        DATE: dt.date.fromisoformat,
        PATH: Path,
        ENUM: lambda name, number: names[name](number),
    }
    try:
        for name, *parts in data["nodes"]:
            for place, part in enumerate(parts):
                if type(part) is list:
                    parts[place] = built[part[1]] if part[0] == NODE else value(part)
            built.append(names[name](*parts))
        return value(data["root"])
    except (LookupError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
        raise ValueError(f"not a kept value: {error}") from error
