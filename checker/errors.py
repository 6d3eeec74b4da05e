"""Faults of rules, settings and calls. Bad data is never an exception: it is a value (see `model.Value`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Problem(NamedTuple):
    """One fault, said for a person: what, where (file, line, column, excerpt), why, what to do."""

    what: str
    file: str = ""
    line: int | None = None
    column: int | None = None
    excerpt: str = ""
    why: str = ""
    todo: str = ""

    def __str__(self) -> str:
        where = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        lines = [f"{where}: {self.what}" if where else self.what]
        if self.excerpt:
            lines.append(f"    {self.excerpt}")
        lines.extend(f"  {text}" for text in (self.why, self.todo) if text)
        return "\n".join(lines)


class QuitusError(Exception):
    """Every known fault of a run; `exit_code` is the one of the command."""

    exit_code = 70

    def __init__(self, problems: Sequence[Problem] | str) -> None:
        self.problems = (Problem(problems),) if isinstance(problems, str) else tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class UsageError(QuitusError):
    """The call itself is wrong (64)."""

    exit_code = 64


class ConfigurationError(QuitusError):
    """Rules, packs or settings are refused (65)."""

    exit_code = 65


class NothingToCheck(QuitusError):
    """No dossier was found (66)."""

    exit_code = 66
