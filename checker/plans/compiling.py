"""A pack compiled: each rule a typed tree, every fault of every rule at once."""

from __future__ import annotations

import dataclasses
import re
import string
from collections.abc import Iterable, Mapping
from typing import Any

from checker.base import plugs, tree
from checker.base.dictionary import ROOT, Dictionary
from checker.base.tree import Bounded, Column, Expr, Let, Part, Plan
from checker.errors import ConfigurationError, Problem
from checker.model import STAGES, Outcome, Pack, Rule
from checker.plans import KINDS
from checker.plans import lets as lets_of
from checker.plans.scope import Check, Fault, Path, Scope, reach

_PART_KEYS = frozenset({"stage", "when", "message", "messages", "for_each", "at", "otherwise", "about"})
_OUTCOMES = frozenset(outcome.word for outcome in Outcome)


def compile_pack(pack: Pack, dictionary: Dictionary, only: Iterable[str] | None = None) -> tuple[Plan, ...]:
    """The plans of a pack's rules (those in `only`); every fault of every rule at once (ConfigurationError)."""
    wanted = None if only is None else frozenset(only)
    ids = frozenset(rule.id for rule in pack.rules)
    plans: list[Plan] = []
    problems: list[Problem] = []
    for rule in pack.rules:
        if wanted is not None and rule.id not in wanted:
            continue
        try:
            plans.append(Plan(rule.id, tuple(_rule(rule, pack, dictionary, ids))))
        except _Faults as error:
            problems += [
                pack.sources[rule.place.file].problem(
                    f"{rule.id} : {item.what}", (*rule.key, *item.path), todo=item.todo
                )
                for item in error.faults
            ]
    if problems:
        raise ConfigurationError(problems)
    return tuple(plans)


def kind_names() -> tuple[str, ...]:
    """The kinds of check, by their public names (underscores kept: they are keys of YAML)."""
    return tuple(name.replace("-", "_") for name in plugs.names(KINDS))


class _Faults(Exception):
    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        super().__init__(str(faults))


def _rule(rule: Rule, pack: Pack, dictionary: Dictionary, ids: frozenset[str]) -> list[Part]:
    faults: list[Fault] = []
    parts: list[Part] = []
    for options, path in _parts(rule):
        try:
            parts += _part(rule, options, path, pack, dictionary, ids)
        except Fault as fault:
            faults.append(fault)
    if faults:
        raise _Faults(faults)
    return parts


def _parts(rule: Rule) -> list[tuple[Mapping[str, Any], Path]]:
    """The parts of a rule as options, with their path: its demands, then its check or each item of `all`."""
    check = rule.body.get("check", {})
    found: list[tuple[Mapping[str, Any], Path]] = []
    for index, column in enumerate(rule.body.get("demands", [])):
        found.append(({"required": {"value": column}}, ("demands", index)))
    if isinstance(check, Mapping) and "all" in check and len(check) == 1 and isinstance(check["all"], list):
        found += [(item, ("check", "all", index)) for index, item in enumerate(check["all"])]
    elif check:
        found.append((check, ("check",)))
    return found


def _part(rule: Rule, options: Any, path: Path, pack: Pack, dictionary: Dictionary, ids: frozenset[str]) -> list[Part]:
    if not isinstance(options, Mapping):
        raise Fault("une partie est un objet : un genre et ses options", path)
    body = rule.body
    subject = options.get("for_each", body.get("for_each", ROOT))
    if path[0] == "demands":
        subject = _subject_of(dictionary, str(options["required"]["value"]), path)
    at_source = options.get("at", body.get("at"))
    scope = Scope(dictionary, pack, rule, subject, Column("date", ROOT, "date_controle"), at_source is not None, ids)
    scope.base = path
    scope.table(subject, "for_each")
    if at_source is not None:
        scope.at = tree.exact(scope.expr(at_source, "at"))
        if scope.at.type != "date":
            raise Fault(f"at attend une date, pas {scope.at.type}", (*path, "at"))
    scope.base = ("let",)
    named: Mapping[str, Any] = body.get("let") or {}
    for name in _needed(named, options, body):
        lets_of.add(scope, name, named[name], name)
    rule_names = tuple(scope.names)
    scope.base = path
    checks = _checks({key: value for key, value in options.items() if key not in _PART_KEYS}, scope)
    return [_finish(rule, options, path, scope, check, rule_names) for check in checks]


def _subject_of(dictionary: Dictionary, column: str, path: Path) -> str:
    found = dictionary.column(column)
    if found is None:
        close = plugs.nearest(column, list(dictionary.paths()))
        raise Fault(f"colonne inconnue : « {column} »", path, f"Écrire « {close} » ?" if close else "")
    return found[0]


def _needed(named: Mapping[str, Any], options: Mapping[str, Any], body: Mapping[str, Any]) -> list[str]:
    """The lets that a part reads, directly or through others, in the order of the rule."""

    def words(source: Any) -> set[str]:
        return set(re.findall(r"[a-z_][a-z0-9_]*", str(source)))

    wanted = (
        words(options) | words(body.get("messages", "")) | words(body.get("when", "")) | words(body.get("remedy", ""))
    )
    for name in reversed(list(named)):
        if name in wanted:
            wanted |= words(named[name])
    return [name for name in named if name in wanted]


def _checks(options: Mapping[str, Any], scope: Scope) -> list[Check]:
    if len(options) != 1:
        raise Fault("une partie a exactement un genre : " + ", ".join(kind_names()) + ", all ou any", scope.base)
    kind, inner = next(iter(options.items()))
    if kind in ("all", "any"):
        return [_composed(kind, inner, scope)]
    if kind not in kind_names():
        close = plugs.nearest(kind, list(kind_names()))
        raise Fault(f"genre inconnu : « {kind} »", (*scope.base, kind), f"Écrire « {close} » ?" if close else "")
    plug = plugs.load(KINDS, kind.replace("_", "-"))
    unknown = set(inner or {}) - set(plug.SCHEMA["properties"])
    absent = set(plug.SCHEMA.get("required", ())) - set(inner or {})
    if unknown or absent:
        word = min(unknown or absent)
        close = plugs.nearest(word, list(plug.SCHEMA["properties"]))
        what = f"option inconnue de {kind} : « {word} »" if unknown else f"{kind} demande l'option « {word} »"
        raise Fault(what, (*scope.base, kind), f"Écrire « {close} » ?" if unknown and close else "")
    before = scope.base
    scope.base = (*before, kind)
    try:
        found = plug.compile(inner or {}, scope)
    finally:
        scope.base = before
    checks = list(found) if isinstance(found, list) else [found]
    return [item if item.words else dataclasses.replace(item, words=plug.WORDS) for item in checks]


def _composed(kind: str, items: Any, scope: Scope) -> Check:
    """`any` (or a nested `all`) of checks of one subject; a nested part may have its own `when`."""
    oks: list[Expr] = []
    about: list[Expr] = []
    first: Check | None = None
    before = scope.base
    for index, item in enumerate(items):
        scope.base = (*before, kind, index)
        when = scope.boolean(item["when"], "when") if "when" in item else None
        for check in _checks({key: value for key, value in item.items() if key not in _PART_KEYS}, scope):
            if check.subject not in (None, scope.subject):
                raise Fault("any ne compose que des genres d'un même sujet", scope.base)
            ok = check.ok
            if when is not None:
                ok = tree.both(when, ok) if kind == "any" else tree.either(tree.negate(when), ok)
            oks.append(ok)
            about += check.about
            first = first or check
    scope.base = before
    assert first is not None
    joined = tree.both(*oks) if kind == "all" else tree.either(*oks)
    return Check(joined, first.observed, first.expected, about=tuple(about), words=first.words)


def _finish(
    rule: Rule, options: Mapping[str, Any], path: Path, scope: Scope, check: Check, names: tuple[str, ...]
) -> Part:
    whens = [check.when] if check.when is not None else []
    scope.base = ()
    if "when" in rule.body:
        whens.append(scope.boolean(rule.body["when"], "when"))
    scope.base = path
    if "when" in options:
        whens.append(scope.boolean(options["when"], "when"))
    span = rule.body.get("in_force") or {}
    for op, bound in (("ge", span.get("from")), ("le", span.get("to"))):
        if bound is not None:
            scope.base = ("in_force",)
            whens.append(tree.compare(op, scope.at, scope.expr(str(bound))))
    for when in whens:
        _no_vanishing(when, scope, path)
    stage = options.get("stage", rule.stage)
    if stage not in STAGES:
        raise Fault(f"étape inconnue : « {stage} »", (*path, "stage"), "Connues : " + ", ".join(STAGES))
    otherwise = options.get("otherwise", "non_conforme")
    if otherwise not in ("non_conforme", "indetermine"):
        raise Fault("otherwise : non_conforme ou indetermine", (*path, "otherwise"))
    subject = check.subject or scope.subject
    about = [item for item in tree.columns(*check.about) if item[1] != "#"]
    for column in options.get("about", []):
        node = scope.column(column, (*path, "about"))
        about.append((node.table, node.name))
    used: tuple[Let, ...] = (*scope.lets, *check.lets)
    deep = [*check.about, check.ok, *whens, *(item for let in used for item in tree.let_exprs(let))]
    shows = [(name, tree.exact(scope.names[name])) for name in names] + [(n, tree.exact(e)) for n, e in check.shows]
    messages = _messages(rule, options, check, path)
    slots = {slot for text in messages.values() for slot in _slots(text)}
    for slot in sorted(slots - {"observed", "expected", "at", "missing"} - {name for name, _ in shows}):
        shows.append((slot, _slot(scope, slot, path)))
    _within(scope, subject, path, check.ok, *whens, *(node for _, node in shows))
    return Part(
        subject=subject,
        stage=STAGES.index(stage),
        when=tree.both(*whens) if whens else None,
        ok=check.ok,
        soft=otherwise == "indetermine",
        at=scope.at,
        lets=used,
        observed=None if check.observed is None else tree.exact(check.observed),
        expected=None if check.expected is None else _limit(check.expected),
        shows=tuple(shows),
        reads=tuple(item for item in tree.columns(*deep, scope.at) if item[1] != "#" and not item[1].endswith("[]")),
        about=tuple(dict.fromkeys(about or [item for item in tree.columns(check.ok) if item[1] != "#"])),
        messages=messages,
        waits_for=tuple(dict.fromkeys(scope.waits_for)),
    )


def _limit(node: Expr) -> Expr:
    """What is shown of an expected value: the exact one, else the bound that is known."""
    if isinstance(node, Bounded):
        known = tree.Call("boolean", "is_null", (node.exact,))
        return tree.Call(node.type, "case", (known, node.low, node.exact))
    return node


def _no_vanishing(when: Expr, scope: Scope, path: Path) -> None:
    """A `when` never turns false because an act was removed: only what may be « aucun » is asked with present()."""
    for node in tree.walk(when):
        if isinstance(node, Column) and node.type == "block" and not scope.field(node).none:
            raise Fault(
                f"when : l'absence de « {node.name} » ne dispense de rien",
                path,
                "Employer `stage`, ou une partie `required`.",
            )


def _within(scope: Scope, subject: str, path: Path, *nodes: Expr) -> None:
    near = reach(scope.dictionary, subject)
    for table, name in tree.columns(*nodes):
        if table not in near:
            raise Fault(f"« {table}.{name} » a plusieurs lignes ici", path, "La nommer par un agrégat dans `let`.")


def _slots(text: str) -> set[str]:
    return {slot for _, slot, _, _ in string.Formatter().parse(text) if slot}


def _slot(scope: Scope, slot: str, path: Path) -> Expr:
    if slot in scope.pack.parameters and slot not in scope.names:
        return tree.exact(scope.value_of(slot, path))
    try:
        return scope.column(slot, path)
    except Fault:
        known = [*scope.names, *scope.pack.parameters, "observed", "expected", "at", "missing"]
        close = plugs.nearest(slot, known)
        raise Fault(
            f"rien ne remplit « {{{slot}}} » dans le message", path, f"Écrire « {close} » ?" if close else ""
        ) from None


def _messages(rule: Rule, options: Mapping[str, Any], check: Check, path: Path) -> dict[str, str]:
    """The sentences of a part: its own, else the rule's, else the kind's; each slot must be filled."""
    own = rule.body.get("messages") or {} if path[0] != "demands" else {}
    texts: dict[str, str] = {**check.words, **own}
    if isinstance(options.get("message"), str):
        texts["indetermine" if options.get("otherwise") == "indetermine" else "non_conforme"] = options["message"]
    texts.update(options.get("messages") or {})
    for outcome, text in texts.items():
        if outcome not in _OUTCOMES:
            raise Fault(f"messages : résultat inconnu « {outcome} »", (*path, "messages"))
        try:
            slots = _slots(text)
        except ValueError as error:
            raise Fault(f"message mal formé : {error}", path) from None
        if ("observed" in slots and check.observed is None) or ("expected" in slots and check.expected is None):
            raise Fault("rien ne remplit {observed} ou {expected} dans le message", path)
    return texts
