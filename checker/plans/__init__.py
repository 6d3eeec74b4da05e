"""Pack -> plans: one typed tree a rule. Doors: `compile_pack`, and `ready`, which compiles what was never compiled."""

from __future__ import annotations

import json
from collections.abc import Iterable

from checker.base import cache, codec, tree
from checker.base.dictionary import Dictionary
from checker.base.tree import Plan
from checker.model import Amendment, DatedValue, Outcome, Pack, Parameter, Person

KINDS = "checker.plans.kinds"
_AGREED = (Amendment, DatedValue, Parameter, Person)
_TREE = (
    tree.Aggregate,
    tree.Bounded,
    tree.Call,
    tree.Column,
    tree.Literal,
    tree.Part,
    tree.Plan,
    tree.Ref,
    tree.Running,
    tree.Scalar,
    tree.StateOf,
)


def compile_pack(pack: Pack, dictionary: Dictionary, only: Iterable[str] | None = None) -> tuple[Plan, ...]:
    """The plans of a pack's rules (those in `only`); every fault of every rule at once (ConfigurationError)."""
    from checker.plans.compiling import compile_pack

    return compile_pack(pack, dictionary, only)


def ready(pack: Pack, dictionary: Dictionary) -> tuple[Plan, ...]:
    """The same for all rules, from the cache when this pack was compiled with the same settings and dictionary.

    Trees hold the values of the pack as its settings lay them over: the key does too.
    """
    agreed = codec.encode((pack.parameters, pack.persons, pack.tables, pack.amendments), _AGREED)
    schema = json.dumps(dictionary.schema, sort_keys=True)
    name = cache.key("plans", pack.id, pack.sha256, json.dumps(agreed), schema)
    try:
        found: tuple[Plan, ...] = codec.decode(cache.get(name), _TREE)
    except ValueError:
        found = compile_pack(pack, dictionary)
        cache.put(name, codec.encode(found, _TREE))
    return found


def kind_names() -> tuple[str, ...]:
    """The kinds of check, by their public names (underscores kept: they are keys of YAML)."""
    from checker.plans.compiling import kind_names

    return kind_names()


def outcomes(plan: Plan, dictionary: Dictionary) -> frozenset[Outcome]:
    """What a plan can say of a dossier, whatever its facts."""
    from checker.plans.reach import outcomes

    return outcomes(plan, dictionary)


__all__ = ["compile_pack", "kind_names", "outcomes", "ready"]
