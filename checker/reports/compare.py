"""Two reports side by side: by dossier and by rule, what is new, resolved, changed or unchanged, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from checker.model import DECISIONS, Outcome
from checker.reports.rows import Weight
from checker.reports.saved import Checked, Judged, Report, Seen

NEW, RESOLVED, CHANGED, UNCHANGED = "new", "resolved", "changed", "unchanged"
ADDED, REMOVED = "added", "removed"
ORDER = (NEW, REMOVED, CHANGED, ADDED, RESOLVED, UNCHANGED)


class Edit(NamedTuple):
    """A file, a pack, the settings … that are no longer the same; `before` or `after` None: added, removed."""

    name: str
    before: str | None
    after: str | None

    @property
    def change(self) -> str:
        return ADDED if self.before is None else REMOVED if self.after is None else CHANGED


class Moved(NamedTuple):
    """A rule on a dossier, before and after.

    `reasons`: facts, rule, settings, date, stage, tool, batch, unknown; of packs, those of `packdiff.Change`.
    """

    rule: str
    change: str
    worse: bool
    before: Judged | None
    after: Judged | None
    reasons: tuple[str, ...]


class Pair(NamedTuple):
    """One dossier, before and after, or the run itself (neither)."""

    before: Checked | None
    after: Checked | None
    edits: Mapping[str, tuple[Edit, ...]]  # by reason
    moved: tuple[Moved, ...]
    unchanged: tuple[str, ...]

    @property
    def change(self) -> str:
        if self.before is None or self.after is None:
            both = self.before is self.after
            return (CHANGED if self.moved else UNCHANGED) if both else ADDED if self.before is None else REMOVED
        decided = self.before.decision != self.after.decision
        return CHANGED if self.moved or self.edits or decided else UNCHANGED

    @property
    def worse(self) -> bool:
        """A dossier that is no longer there is named, and is no worse for it."""
        if self.change == REMOVED:
            return False
        first = DECISIONS.index(self.before.decision) if self.before else 0
        decided = self.after is not None and DECISIONS.index(self.after.decision) > first
        return decided or any(item.worse for item in self.moved)


class Comparison(NamedTuple):
    """Two whole reports."""

    before: Report
    after: Report
    edits: Mapping[str, tuple[Edit, ...]]
    pairs: tuple[Pair, ...]

    @property
    def worse(self) -> bool:
        return any(pair.worse for pair in self.pairs) or (
            not self.after.dossiers and DECISIONS.index(self.after.decision) > DECISIONS.index(self.before.decision)
        )

    @property
    def exit_code(self) -> int:
        """1 when something got worse."""
        return int(self.worse)


def compare(before: Report, after: Report) -> Comparison:
    """What the second report says that the first does not, and the other way round."""
    common: dict[str, tuple[Edit, ...]] = {}
    packs = edited(
        {pack.id: f"{pack.version} {pack.sha256}" for pack in before.packs},
        {pack.id: f"{pack.version} {pack.sha256}" for pack in after.packs},
    )
    if packs:
        common["rule"] = packs
    first, second = (report.settings for report in (before, after))
    if (first and first.sha256) != (second and second.sha256):
        named = second or first
        edit = Edit(named.path if named else "", first and first.sha256, second and second.sha256)
        common["settings"] = (edit,)
    if before.version != after.version:
        common["tool"] = (Edit("quitus", before.version, after.version),)
    matched = _match(before.dossiers, after.dossiers)
    batch = any(old is None or new is None or old.files != new.files for old, new in matched)
    pairs = [_pair(old, new, common, batch and len(matched) > 1) for old, new in matched]
    run = _pair(None, None, common, batch, (_filled(before, after), _filled(after, before)))
    return Comparison(before, after, common, tuple([*pairs, run] if run.moved else pairs))


def _filled(report: Report, other: Report) -> dict[str, Judged]:
    """The findings of the run, and in order the rules that only the other report has any of."""
    return {
        rule: report.findings.get(rule, item._replace(outcome=Outcome.CONFORME, findings=()))
        for rule, item in {**other.findings, **report.findings}.items()
    }


def edited(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Edit, ...]:
    """The names whose text is no longer the same."""
    names = sorted({*before, *after})
    return tuple(Edit(name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name))


def _match(before: Sequence[Checked], after: Sequence[Checked]) -> list[tuple[Checked | None, Checked | None]]:
    """By reference and path; then by reference alone, then by path alone, when only one is left on either side."""
    left, right = list(before), list(after)
    found: list[tuple[Checked | None, Checked | None]] = []
    for key in (lambda item: (item.reference, item.path), lambda item: item.reference, lambda item: item.path):
        olds, news = Counter(map(key, left)), Counter(map(key, right))
        alone = {value for value in olds if value and olds[value] == 1 == news[value]}
        others = {key(item): item for item in right}
        found += [(item, others[key(item)]) for item in left if key(item) in alone]
        left = [item for item in left if key(item) not in alone]
        right = [item for item in right if key(item) not in alone]
    found += [*((item, None) for item in left), *((None, item) for item in right)]
    return sorted(found, key=_identity)


def _identity(pair: tuple[Checked | None, Checked | None]) -> tuple[str, str]:
    shown = pair[1] or pair[0]
    return (shown.reference, shown.path) if shown else ("", "")


def _pair(
    before: Checked | None,
    after: Checked | None,
    common: Mapping[str, tuple[Edit, ...]],
    batch: bool,
    results: tuple[Mapping[str, Judged], Mapping[str, Judged]] | None = None,
) -> Pair:
    old, new = results or (before.results if before else {}, after.results if after else {})
    edits: dict[str, tuple[Edit, ...]] = {}
    reasons = [reason for reason in ("rule", "settings", "tool") if reason in common]
    if before and after:
        edits, reasons = _own(before, after), [reason for reason in reasons if reason != "rule"]
        reasons += edits
    kept = [_moved(rule, old.get(rule), new.get(rule)) for rule in dict.fromkeys([*new, *old])]
    alone = bool(before) != bool(after)
    order = ("facts", "rule", "settings", "date", "stage", "tool")
    listed = tuple(reason for reason in order if reason in reasons)
    why = () if alone else listed or (("batch",) if batch else ("unknown",))
    moved = [item._replace(reasons=why) for item in kept if item.change != UNCHANGED]
    if alone:
        moved = [item for item in moved if item.change in (NEW, RESOLVED)]
    moved.sort(key=lambda item: (not item.worse, ORDER.index(item.change), item.rule))
    return Pair(before, after, edits, tuple(moved), tuple(item.rule for item in kept if item.change == UNCHANGED))


def _own(before: Checked, after: Checked) -> dict[str, tuple[Edit, ...]]:
    """What is no longer the same of the dossier itself, by reason."""
    found = {"facts": edited(before.files, after.files)}
    if before.pack != after.pack and before.pack.id and after.pack.id:
        name = after.pack.id
        texts = [" ".join(pack[bool(pack.id == name) :]).strip() or None for pack in (before.pack, after.pack)]
        found["rule"] = (Edit(name, *texts),)
    for reason, old, new in (
        ("date", before.control_date, after.control_date),
        ("stage", before.stage, after.stage),
    ):
        found[reason] = (Edit(reason, old or None, new or None),) if old != new else ()
    return {reason: edits for reason, edits in found.items() if edits}


def _moved(rule: str, before: Judged | None, after: Judged | None) -> Moved:
    first = before.weight if before else Weight.GREEN
    second = after.weight if after else Weight.GREEN
    if second is not Weight.GREEN and first is Weight.GREEN:
        change = NEW
    elif after is None or before is None:
        change = REMOVED if after is None else ADDED
    elif first is not Weight.GREEN and second is Weight.GREEN:
        change = RESOLVED
    else:
        change = UNCHANGED if _same(before, after) else CHANGED
    return Moved(rule, change, change == REMOVED or _worse(before, after), before, after, ())


def _same(before: Judged, after: Judged) -> bool:
    def plain(item: Judged) -> tuple[Any, ...]:
        rows = sorted((seen.subject, seen.outcome, repr(seen.said)) for seen in item.findings)
        return item.outcome, item.severity, item.waived, rows

    return plain(before) == plain(after)


def _worse(before: Judged | None, after: Judged | None) -> bool:
    """Heavier on the decision; as heavy and now a breach; or a row that was in order and is not."""
    if after is None or after.weight is Weight.GREEN:
        return False
    if before is None or after.weight != before.weight:
        return before is None or after.weight < before.weight
    if after.outcome != before.outcome:
        return after.outcome < before.outcome
    return bool(fresh(after, before))


def fresh(one: Judged, other: Judged | None) -> list[Seen]:
    """The rows of a result that were not there, or were less bad, in the other."""
    before = other.findings if other else ()
    known = Counter(seen.subject for seen in before)
    breached = Counter(seen.subject for seen in before if seen.outcome is Outcome.NON_CONFORME)
    found = []
    for seen in sorted(one.findings, key=lambda seen: seen.outcome):
        held = breached if seen.outcome is Outcome.NON_CONFORME else known
        if held[seen.subject] <= 0:
            found.append(seen)
        for count in (known, breached) if held is breached else (known,):
            count[seen.subject] -= 1
    return found
