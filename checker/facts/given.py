"""Facts of rule examples: data laid over the pack's reference dossier.

Objects merge, a list is replaced, `{1: …}` edits the first item of a list, null is absent, "" is blank.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checker.base import values
from checker.base.yamlfile import Node

Data = Any


def lay(node: Node, data: Data) -> Node:
    """A new tree: the data laid over the node, which is left as it is."""
    if isinstance(data, Mapping):
        if isinstance(node.data, list) and data and all(str(key).isdigit() for key in data):
            items = list(node.data)
            for key, value in data.items():
                index = int(key) - 1
                if index >= len(items):
                    items.append(Node({}, node.line, node.column))
                    index = len(items) - 1
                items[index] = lay(items[index], value)
            return Node(items, node.line, node.column)
        below = dict(node.data) if isinstance(node.data, dict) else {}
        for key, value in data.items():
            below[str(key)] = lay(below.get(str(key), Node(None, node.line, node.column, True)), value)
        return Node(below, node.line, node.column)
    if isinstance(data, list):
        return Node([lay(Node(None, node.line, node.column), item) for item in data], node.line, node.column)
    return Node(values.show(data), node.line, node.column, True)


def merge(base: Data, data: Data) -> Data:
    """The same over plain data (settings)."""
    if not isinstance(base, Mapping) or not isinstance(data, Mapping):
        return data
    return {**base, **{key: merge(base.get(key), value) for key, value in data.items()}}
