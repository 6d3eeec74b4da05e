"""What a run holds at one of its arrows, as plain data (`quitus check --until`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from checker.base import values
from checker.base.frames import Frames
from checker.model import Evaluated, Finding, Submitted


def of_facts(item: Submitted) -> Any:
    """The facts of a dossier: what was read, where, why it is unreadable."""
    rows = {
        table: [
            {key: {"raw": cell.raw, "place": _place(cell.place), "fault": cell.fault} for key, cell in row.items()}
            for row in found
        ]
        for table, found in item.rows.tables.items()
        if found
    }
    return {"rows": rows, "faults": [fault.what for fault in item.rows.faults]}


def _place(place: Any) -> str:
    return ":".join(str(part) for part in (place.file, place.place, place.line, place.column) if part is not None)


def of_tables(frames: Frames) -> Any:
    """The typed rows of a batch: what is known."""
    return {
        name: [
            {column: values.show(found[row]) for column, found in frame.values.items() if found[row] is not None}
            for row in range(len(frame))
        ]
        for name, frame in frames.tables.items()
        if len(frame)
    }


def of_findings(evaluated: Mapping[str, Mapping[int, Evaluated]], faults: Sequence[str], frames: Frames) -> Any:
    """What the engine says of each rule and dossier, and what it refused."""
    return {
        "faults": list(faults),
        "rules": {
            rule: {
                frames.submitted[index].dossier.shown: {
                    "outcome": item.outcome.word,
                    "findings": [_finding(finding) for finding in item.findings],
                }
                for index, item in found.items()
            }
            for rule, found in evaluated.items()
        },
    }


def _finding(item: Finding) -> Any:
    return {
        "subject": item.subject,
        "outcome": item.outcome.word,
        "message": item.message,
        "missing": list(item.missing),
    }
