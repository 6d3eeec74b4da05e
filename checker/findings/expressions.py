"""Nodes -> SQL: what templates say of an operator, names and constants around it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

from checker.base import tree
from checker.base.tree import Call, Column, Expr, Literal, Ref, StateOf

Templates = Mapping[str, str]


def quote(name: str) -> str:
    """A quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def state_name(name: str) -> str:
    """The column that holds the state of a column."""
    return f"{name}?"


class Expressions:
    """What an emitter says of one node."""

    templates: Templates
    _inner: frozenset[str]  # tables whose columns come from the aggregate's rows

    def spell(self, name: str) -> str:
        """A name, as the dialect quotes it."""
        return quote(name)

    def nothing(self, kind: str) -> str:
        """The unknown, where another SELECT of a union says what it is; `kind`: a type of the dictionary."""
        return "NULL"

    def expr(self, node: Expr, child: str | None, names: Mapping[str, str], prefix: str | None = None) -> str:
        """SQL of a node; `child`: columns of the aggregate's tables are under that alias, the subject's under `f`."""
        if isinstance(node, Literal):
            return self.literal(node)
        if isinstance(node, Column | StateOf):
            return self._column(node, child, prefix)
        if isinstance(node, Ref):
            name = names.get(node.name, node.name) + (f"__{node.side}" if node.side else "")
            return f"f.{name}" if child is not None or prefix else name
        if isinstance(node, tree.Bounded):
            return self.expr(node.exact, child, names, prefix)
        assert isinstance(node, Call)
        args = [self.expr(arg, child, names, prefix) for arg in node.args]
        return self._call(node, args)

    def _column(self, node: Column | StateOf, child: str | None, prefix: str | None) -> str:
        if node.name == "#":
            return (prefix or "") + "dossier_"
        column = state_name(node.name) if isinstance(node, StateOf) else node.name
        name = f"{node.table}/{column}"
        if child is not None:
            return f"{child}.{self.spell('x/' + name)}" if node.table in self._inner else f"f.{self.spell(name)}"
        return f"{prefix or ''}{self.spell(name)}"

    def literal(self, node: Literal) -> str:
        """A constant, typed so that no dialect guesses; text as a quoted literal."""
        value = node.value
        family = tree.family(node.type) if node.type != "string" else "text"
        if value is None:
            return self.templates.get(f"null_{node.type}") or self.templates[f"null_{family}"]
        if isinstance(value, bool):
            return "TRUE" if value else "FALSE"
        if isinstance(value, Decimal):
            return format(value, "f")
        if isinstance(value, dt.date):
            return f"DATE '{value.isoformat()}'"
        if isinstance(value, int):
            return str(value)
        escaped = str(value).replace("\\", self.templates.get("backslash", "\\")).replace("'", "''")
        return self.templates["text"].format(escaped)

    def _call(self, node: Call, args: list[str]) -> str:
        op = node.op
        if op in ("and", "or"):
            return "(" + f" {op.upper()} ".join(f"({arg})" for arg in args) + ")"
        if op == "in":
            return f"({args[0]} IN ({', '.join(args[1:])}))"
        if op == "case":
            pairs = [f"WHEN {args[index]} THEN {args[index + 1]}" for index in range(0, len(args) - 1, 2)]
            return f"(CASE {' '.join(pairs)} ELSE {args[-1]} END)" if len(args) % 2 else f"(CASE {' '.join(pairs)} END)"
        return self.templates[op].format(*args)
