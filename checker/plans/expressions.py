"""SQL boolean expressions -> typed nodes: an allow-list of nodes and functions, every comparison type-checked."""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from checker.base import tree, values
from checker.base.plugs import nearest
from checker.base.tree import Bounded, Call, Column, Expr, Literal, StateOf
from checker.plans.scope import Fault, Path, Scope, present, same

_PATH = re.compile(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)*\Z")
_PARAMETER = re.compile(r"\$([a-z_][a-z0-9_]*)\Z")
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
FUNCTIONS = (
    "present known blank none part left length year month add_years add_months add_days "
    "starts_with contains matches first least greatest is_true bounds_of"
).split()


def parse(source: Any, scope: Scope, path: Path, like: str | None = None) -> Expr:
    """The node of an option; Fault when it is no expression, names nothing or mixes types."""
    if isinstance(source, bool):
        return Literal("boolean", source)
    if isinstance(source, int | Decimal):
        return Literal("money" if isinstance(source, Decimal) else "number", source)
    if not isinstance(source, str):
        raise Fault("une expression est attendue", path)
    text = source.strip()
    if _ISO.match(text):
        return Literal("date", dt.date.fromisoformat(text))
    if like is not None and text.startswith("'") and text.endswith("'") and text.count("'") == 2:
        return _typed(text[1:-1], like, path)
    found = _PARAMETER.match(text)
    if found:
        return scope.value_of(found[1], path)
    if _PATH.match(text) and text not in ("true", "false"):
        return _name(text, scope, path)
    return _Reader(scope, path).read(_sql(text, path))


@functools.cache
def _grammar() -> Any:
    import sqlglot
    from sqlglot import expressions

    return sqlglot, expressions


def _sql(text: str, path: Path) -> Any:
    sqlglot, _ = _grammar()
    try:
        return sqlglot.parse_one(text, read="duckdb")
    except sqlglot.errors.SqlglotError as error:
        detail = error.errors[0].get("description", "") if getattr(error, "errors", None) else str(error)
        raise Fault(f"expression mal formée : {detail}", path, f"Expression : {text}") from None


def _typed(raw: str, kind: str, path: Path) -> Literal:
    try:
        return Literal(kind, values.parse(kind, raw))
    except (values.Refused, KeyError) as error:
        raise Fault(f"« {raw} » n'est pas de type {kind} : {error}", path) from None


def _name(text: str, scope: Scope, path: Path) -> Expr:
    if text in scope.names:
        return scope.names[text]
    if "." not in text and scope.dictionary.column(text) is None:
        known = [*scope.names, *scope.dictionary.paths()]
        close = nearest(text, known)
        raise Fault(f"nom inconnu : « {text} »", path, f"Écrire « {close} » ?" if close else "")
    return scope.column(text, path)


class _Reader:
    """One sqlglot tree -> nodes."""

    def __init__(self, scope: Scope, path: Path) -> None:
        self.scope, self.path = scope, path
        _, self.exp = _grammar()

    def fault(self, what: str, todo: str = "") -> Fault:
        return Fault(what, self.path, todo)

    def read(self, node: Any) -> Expr:
        method: Callable[[Any], Expr] | None = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None:
            raise self.fault(f"« {node.sql(dialect='duckdb')} » n'est pas permis dans une règle")
        return method(node)

    def _paren(self, node: Any) -> Expr:
        return self.read(node.this)

    def _literal(self, node: Any) -> Expr:
        if node.is_string:
            return Literal("string", node.this)
        number = Decimal(node.this)
        return (
            Literal("number", int(number))
            if number == number.to_integral() and "." not in node.this
            else Literal("money", number)
        )

    def _boolean(self, node: Any) -> Expr:
        return Literal("boolean", bool(node.this))

    def _cast(self, node: Any) -> Expr:
        if str(node.to) == "DATE" and node.this.is_string:
            return _typed(node.this.this, "date", self.path)
        raise self.fault("seul DATE 'AAAA-MM-JJ' est permis comme conversion")

    def _column(self, node: Any) -> Expr:
        return _name(".".join(part.name for part in node.parts), self.scope, self.path)

    def _dot(self, node: Any) -> Expr:
        return _name(".".join(part.name for part in node.flatten()), self.scope, self.path)

    def _placeholder(self, node: Any) -> Expr:
        return self.scope.value_of(str(node.this), self.path)

    _parameter = _placeholder

    def condition(self, node: Any) -> Expr:
        found = self.read(node)
        if tree.family(found.type) != "boolean":
            raise self.fault(f"« {node.sql(dialect='duckdb')} » n'est pas une condition")
        return found

    def _and(self, node: Any) -> Expr:
        return tree.both(self.condition(node.this), self.condition(node.expression))

    def _or(self, node: Any) -> Expr:
        return tree.either(self.condition(node.this), self.condition(node.expression))

    def _not(self, node: Any) -> Expr:
        return tree.negate(self.condition(node.this))

    def pair(self, node: Any, left: Any, right: Any) -> tuple[Expr, Expr]:
        a, b = self.read(left), self.read(right)
        if a.type == "string" and b.type != "string":
            a = self._retype(a, b)
        elif b.type == "string" and a.type != "string":
            b = self._retype(b, a)
        if a.type != "string" and not same(a.type, b.type):
            raise self.fault(f"on ne compare pas {a.type} avec {b.type} : « {node.sql(dialect='duckdb')} »")
        return a, b

    def _retype(self, text: Expr, other: Expr) -> Expr:
        assert isinstance(text, Literal)
        if tree.family(other.type) != "text":
            raise self.fault(f"on ne compare pas un texte (« {text.value} ») avec {other.type}")
        return _typed(str(text.value), other.type, self.path)

    def _compare(self, op: str, node: Any) -> Expr:
        a, b = self.pair(node, node.this, node.expression)
        if op not in ("eq", "ne") and tree.family(a.type) not in ("number", "date"):
            raise self.fault(f"« {node.sql(dialect='duckdb')} » : on n'ordonne que des nombres et des dates")
        return tree.compare(op, a, b)

    def _eq(self, node: Any) -> Expr:
        return self._compare("eq", node)

    def _neq(self, node: Any) -> Expr:
        return self._compare("ne", node)

    def _lt(self, node: Any) -> Expr:
        return self._compare("lt", node)

    def _lte(self, node: Any) -> Expr:
        return self._compare("le", node)

    def _gt(self, node: Any) -> Expr:
        return self._compare("gt", node)

    def _gte(self, node: Any) -> Expr:
        return self._compare("ge", node)

    def _between(self, node: Any) -> Expr:
        value, low = self.pair(node, node.this, node.args["low"])
        _, high = self.pair(node, node.this, node.args["high"])
        return tree.both(tree.compare("ge", value, low), tree.compare("le", value, high))

    def _in(self, node: Any) -> Expr:
        value = self.read(node.this)
        options = list(node.expressions)
        if node.args.get("field") is not None:
            options = [node.args["field"]]
        if len(options) == 1 and type(options[0]).__name__ in ("Placeholder", "Parameter"):
            return self.scope.among(value, str(options[0].this), self.path)
        if not options:
            raise self.fault("IN attend une liste de valeurs, sans sous-requête")
        members = tuple(self.pair(node, node.this, option)[1] for option in options)
        return Call("boolean", "in", (tree.exact(value), *members))

    def _number(self, node: Any) -> Expr:
        found = tree.exact(self.read(node))
        if tree.family(found.type) != "number":
            raise self.fault(f"« {node.sql(dialect='duckdb')} » n'est pas un nombre")
        return found

    def _arithmetic(self, op: str, node: Any) -> Expr:
        a, b = self._number(node.this), self._number(node.expression)
        kind = "money" if "money" in (a.type, b.type) or "letters" in (a.type, b.type) else a.type
        if op == "mul" and "number" not in (a.type, b.type):
            raise self.fault("on ne multiplie que par un nombre entier ; pour une part : part(montant, pourcentage)")
        return Call(kind, op, (a, b))

    def _add(self, node: Any) -> Expr:
        return self._arithmetic("add", node)

    def _sub(self, node: Any) -> Expr:
        return self._arithmetic("sub", node)

    def _mul(self, node: Any) -> Expr:
        return self._arithmetic("mul", node)

    def _neg(self, node: Any) -> Expr:
        value = self._number(node.this)
        return Call(value.type, "neg", (value,))

    def _case(self, node: Any) -> Expr:
        if node.this is not None:
            raise self.fault("CASE s'écrit avec WHEN et une condition")
        args: list[Expr] = []
        for item in node.args["ifs"]:
            args += [self.condition(item.this), tree.exact(self.read(item.args["true"]))]
        args.append(
            tree.exact(self.read(node.args["default"])) if node.args.get("default") is not None else tree.UNKNOWN
        )
        kind = args[1].type
        return Call(kind, "case", (*args[:-1], Literal(kind, None) if args[-1] == tree.UNKNOWN else args[-1]))

    def _anonymous(self, node: Any) -> Expr:
        return self.call(str(node.this).lower(), list(node.expressions), node)

    def _left(self, node: Any) -> Expr:
        return self.call("left", [node.this, node.expression], node)

    def _length(self, node: Any) -> Expr:
        return self.call("length", [node.this], node)

    def _year(self, node: Any) -> Expr:
        return self.call("year", [node.this], node)

    def _month(self, node: Any) -> Expr:
        return self.call("month", [node.this], node)

    def _startswith(self, node: Any) -> Expr:
        return self.call("starts_with", [node.this, node.expression], node)

    def _contains(self, node: Any) -> Expr:
        return self.call("contains", [node.this, node.expression], node)

    def _least(self, node: Any) -> Expr:
        return self.call("least", [node.this, *node.expressions], node)

    def _greatest(self, node: Any) -> Expr:
        return self.call("greatest", [node.this, *node.expressions], node)

    def _first(self, node: Any) -> Expr:
        rest = [node.expression] if node.args.get("expression") is not None else list(node.expressions)
        return self.call("first", [node.this, *rest], node)

    def _ignorenulls(self, node: Any) -> Expr:
        return self.read(node.this)

    def call(self, name: str, args: list[Any], node: Any) -> Expr:
        if name not in FUNCTIONS:
            close = nearest(name, FUNCTIONS)
            raise self.fault(f"fonction inconnue : « {name} »", f"Écrire « {close} » ?" if close else "")
        wanted = {"part": 2, "left": 2, "add_years": 2, "add_months": 2, "add_days": 2, "starts_with": 2, "contains": 2,
                  "matches": 2, "first": 2, "least": 2, "greatest": 2}.get(name, 1)  # fmt: skip
        if len(args) != wanted:
            raise self.fault(f"« {name} » attend {wanted} argument(s)")
        if name in ("present", "known", "blank", "none"):
            return self._state(name, self.read(args[0]))
        if name in ("starts_with", "contains", "matches"):
            return self._text(name, args)
        nodes = [tree.exact(self.read(arg)) for arg in args]
        expected, result = _SIGNATURES[name]
        for index, item in enumerate(nodes):
            if expected[index] not in (tree.family(item.type), "any"):
                raise self.fault(f"« {name} » attend {expected[index]}, pas {item.type}")
        if name == "first":
            return self._first_of(nodes)
        if name == "part" and nodes[0].type not in ("money", "letters"):
            raise self.fault(f"« part » attend un montant, pas {nodes[0].type}")
        return Call(result or nodes[0].type, name, tuple(nodes))

    def _state(self, name: str, node: Expr) -> Expr:
        if not isinstance(node, Column):
            raise self.fault(f"« {name} » attend une colonne")
        if name == "present":
            return present(self.scope, node)
        numbers = {"known": 0, "blank": 1, "none": 4}
        state = StateOf("number", node.table, node.name)
        is_state = Call("boolean", "eq", (state, Literal("number", numbers[name])))
        if name == "known":  # never a plain « no »: what is not known is unknown
            return Call("boolean", "case", (is_state, tree.TRUE, tree.UNKNOWN))
        hidden = Call("boolean", "in", (state, Literal("number", 2), Literal("number", 3)))
        return Call("boolean", "case", (hidden, tree.UNKNOWN, is_state))

    def _text(self, name: str, args: list[Any]) -> Expr:
        value = tree.exact(self.read(args[0]))
        if tree.family(value.type) != "text" or not getattr(args[1], "is_string", False):
            raise self.fault(f"« {name} » attend un texte et une constante entre apostrophes")
        raw = str(args[1].this)
        if name == "matches":
            return Call("boolean", "match", (value, Literal("string", pattern(raw, self.path))))
        op = {"starts_with": "starts", "contains": "contains"}[name]
        return Call("boolean", op, (value, _typed(raw, value.type, self.path)))

    def _first_of(self, nodes: list[Expr]) -> Expr:
        first, second = nodes
        if not isinstance(first, Column) or not self.scope.field(first).none or not same(first.type, second.type):
            raise self.fault(
                "« first » attend une colonne dont l'absence veut dire « aucun », puis une valeur du même type"
            )
        state = StateOf("number", first.table, first.name)
        none = Call("boolean", "eq", (state, Literal("number", 4)))
        return Call(first.type, "case", (none, second, first))


_SIGNATURES: dict[str, tuple[tuple[str, ...], str]] = {
    "part": (("number", "number"), "money"),
    "left": (("text", "number"), ""),
    "length": (("text",), "number"),
    "year": (("date",), "number"),
    "month": (("date",), "number"),
    "add_years": (("date", "number"), "date"),
    "add_months": (("date", "number"), "date"),
    "add_days": (("date", "number"), "date"),
    "least": (("any", "any"), ""),
    "greatest": (("any", "any"), ""),
    "first": (("any", "any"), ""),
    "is_true": (("boolean",), "boolean"),
}

_COMMON = re.compile(
    r"(?:[A-Za-z0-9 _./:,;@'\-]|\\[.\-+*?()\[\]{}|/\\]|\[\^?(?:[A-Za-z0-9_ ./:@-]|\\[-.\]\\])+\]"
    r"|[()|?*+]|\{[0-9]{1,3}(?:,[0-9]{0,3})?\})*\Z"
)


def pattern(raw: str, path: Path) -> str:
    """A regular expression of the subset common to every engine (no anchors, classes, nested repeats)."""
    if not _COMMON.match(raw) or "(?" in raw or re.search(r"[*+}]\)?[*+{]", raw):
        raise Fault(
            f"motif hors du sous-ensemble commun aux moteurs : « {raw} »",
            path,
            "Lettres, chiffres, [ ], ( | ), ? * + { }.",
        )
    try:
        re.compile(raw)
    except re.error as error:
        raise Fault(f"motif mal formé : {error}", path) from None
    return raw


__all__ = ["Bounded", "parse", "pattern"]
