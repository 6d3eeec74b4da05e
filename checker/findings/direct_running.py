"""Running sums over rows side by side, without SQL: what the frames of `running` say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from checker.base import tree
from checker.base.dictionary import ROOT
from checker.base.tree import Running
from checker.findings.direct import Known, Scope, View
from checker.findings.direct_values import fit


def running(let: Running, view: View, scope: Scope) -> Known:
    """A running sum at each row of the subject."""
    made = _Sum(let, view, scope)
    groups: dict[tuple[Any, ...], list[int]] = {}
    keys = [view.of(key, scope) for key in let.by]
    for place, key in enumerate(zip(made.runs, *keys, strict=True)):
        groups.setdefault(key, []).append(place)
    said: dict[int, tuple[Any, Any, Any]] = {}
    for key, places in groups.items():
        said.update(made.group(sorted(places, key=made.rank), None in key))
    found = [said[place] for place in range(view.size)]
    return [item[0] for item in found], [item[1] for item in found], [item[2] for item in found]


class _Sum:
    """What a running sum reads of its rows: their dossiers, values, places in the order, beginnings."""

    def __init__(self, let: Running, view: View, scope: Scope) -> None:
        self.let = let
        scale = view.scale_of(let, scope)
        self.zero = 0 if scale is None else fit(0, scale)
        batch = view.batch
        self.dossiers = [row for row in view.rows[ROOT] if row is not None]
        self.runs = [batch.runs[row] for row in self.dossiers]
        self.references = [batch.references[row] for row in self.dossiers]
        self.values = view.of(let.value, scope)
        order = [view.of(key, scope) for key in let.order] or [self.dossiers]
        self.orders = list(zip(*order, strict=True))
        self.anchors = view.of(let.anchor, scope) if let.anchor is not None else [False] * view.size
        keys = [node for key in let.order for node in tree.walk(key)]
        self.inside = all(isinstance(node, tree.Column) and node.table == ROOT for node in keys)

    def rank(self, place: int) -> tuple[Any, ...]:
        """Where a row stands in the order; unknown keys last."""
        keys = [(key is None, 0 if key is None else key) for key in self.orders[place]]
        return (*keys, self.references[place], place)

    def group(self, places: Sequence[int], lost: bool) -> Mapping[int, tuple[Any, Any, Any]]:
        """The sum at each row of a group in its order; `lost`: a key of the group is unknown."""
        let, values = self.let, self.values
        alone = self.inside and len({self.dossiers[place] for place in places}) == 1
        begun = any(self.anchors[place] is True for place in places)
        unordered = sum(self.orders[place][0] is None for place in places)
        hidden, unplaced = self._peers(places)
        least = min((values[place] for place in places if values[place] is not None), default=None)
        total: Any = self.zero
        seen: set[Any] = set()
        unknown = beginnings = 0
        found: dict[int, tuple[Any, Any, Any]] = {}
        for place in places:
            value, first = values[place], self.orders[place][0]
            apart = any(key is None for key in self.orders[place][1:])
            begins = self.anchors[place] is True
            beginnings += begins
            unknown += value is None
            before = begun and not beginnings
            if value is not None and let.distinct:
                new = value not in seen
                seen.add(value)
                total += 1 if new and not before else 0
            elif value is not None and not before:
                away = (first is None or (let.anchored and apart)) and not alone
                total = total if away else total + value
            reached = not lost and not before and ((first is not None and not apart) or alone)
            own = value is not None and not lost
            if let.distinct:
                perhaps = unknown if alone else hidden[place] + unordered
                exact = total if own and not perhaps else None
                low = total - (0 if alone else unplaced[place]) if reached else None
                found[place] = exact, low, (total + perhaps if own else None)
                continue
            ordered = not unordered and not hidden[place] and first is not None and not apart
            settled = (alone and not unknown) or (begins and beginnings == 1) or ordered
            if let.anchored:
                settled = settled and begun and not before and first is not None
            exact = total if own and settled else None
            sure = (own and settled) or (least is not None and not let.distinct and least >= 0)
            found[place] = exact, (total if reached and sure else None), exact
        return found

    def _peers(self, places: Sequence[int]) -> tuple[dict[int, int], dict[int, int]]:
        """At each row, how many with no later first key are of unknown value or position, and of unknown position."""
        hidden: dict[int, int] = {}
        unplaced: dict[int, int] = {}
        so_far = [0, 0]
        start = 0
        while start < len(places):
            first = self.orders[places[start]][0]
            end = start
            while end < len(places) and self.orders[places[end]][0] == first:
                apart = any(key is None for key in self.orders[places[end]][1:])
                so_far[0] += first is not None and (self.values[places[end]] is None or apart)
                so_far[1] += first is not None and apart
                end += 1
            for place in places[start:end]:
                hidden[place], unplaced[place] = so_far
            start = end
        return hidden, unplaced
