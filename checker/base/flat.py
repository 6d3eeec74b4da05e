"""The facts of one dossier as columns: of texts, of lines, of places. A row, a value is an object when somebody looks.

In a large run one object a value is unaffordable: here a value costs its text and its line, and what dossiers have in
common (which columns their rows have, where these stand) is there once. Doors: `Flat`, `flat`, `of_bytes`.
"""

from __future__ import annotations

import functools
import json
import sys
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final, NamedTuple, TypeVar, cast, overload

from checker.model import Cells, Place, Value
from checker.model.frozen import frozen

Shape = Mapping[str, int]  # the columns of a row, in order, and the place of each in it
_SEPARATOR: Final = "\n"
_TEXT: Final = frozenset({str, type(None)})
_NUMBER: Final = frozenset({int, type(None)})
_ALIKE: Final = 1024  # structures that are held once, each of at most so many bytes or items:
SMALL: Final = 16_384
Same = TypeVar("Same", bound=Hashable)
Given = TypeVar("Given", bound=Hashable)
Made = TypeVar("Made")
Named = tuple[tuple[str, tuple[str, ...]], ...]  # table -> the columns of each of its rows, joined


def shared(
    make: Callable[[Given], Made],
    size: Callable[[Given], int] = len,  # type: ignore[assignment]
) -> Callable[[Given], Made]:
    """The function, whose results of equal arguments are one object, unless they are large ones."""
    held = functools.lru_cache(maxsize=_ALIKE)(make)
    return lambda given: held(given) if size(given) <= SMALL else make(given)


def rows_of(named: Iterable[tuple[str, tuple[Any, ...]]]) -> int:
    """How many rows tables have together."""
    return sum(len(rows) for _, rows in named)


class Structure(NamedTuple):
    """Table -> (shape of each row, first cell of each row); `cells`: how many there are."""

    tables: Mapping[str, tuple[tuple[Shape, ...], tuple[int, ...]]]
    cells: int


class Where(NamedTuple):
    """Where cells stand. `starts`, `files`: from which cell on the file is that one. `spots`: cell, page, place."""

    lines: tuple[int | None, ...]
    columns: tuple[int | None, ...]
    starts: tuple[int, ...]
    files: tuple[str, ...]
    spots: tuple[tuple[int, int | None, str | None], ...]


@frozen
class Flat(Mapping[str, Sequence[Cells]]):
    """Table -> rows, as `model.Rows.tables`. Cells are numbered in the order of the tables, their rows and columns.

    After those of rows come those of lists: table -> the cell that stands where its list is written.
    """

    structure: Structure
    where: Where
    lists: tuple[str, ...]
    raws: tuple[str | None, ...]
    faults: Mapping[int, str]  # cell -> why it cannot be read

    __eq__ = Mapping.__eq__
    __hash__ = None  # type: ignore[assignment]

    @property
    def tables(self) -> Mapping[str, tuple[tuple[Shape, ...], tuple[int, ...]]]:
        """Table -> (shape of each row, first cell of each row)."""
        return self.structure.tables

    def __getitem__(self, table: str) -> Sequence[Cells]:
        return _Rows(self, *self.structure.tables[table])

    def __iter__(self) -> Iterator[str]:
        return iter(self.structure.tables)

    def __len__(self) -> int:
        return len(self.structure.tables)

    def place(self, cell: int) -> Place:
        """Where a cell was read."""
        lines, columns, starts, files, spots = self.where
        at = bisect_left(spots, cell, key=itemgetter(0))
        page, spot = spots[at][1:] if at < len(spots) and spots[at][0] == cell else (None, None)
        return Place(files[bisect_right(starts, cell) - 1], lines[cell], columns[cell], page, spot)

    def value(self, cell: int) -> Value:
        """A cell as an object."""
        return Value(self.raws[cell], self.place(cell), self.faults.get(cell))

    def parts(self) -> tuple[bytes, bytes, Any]:
        """The same for `of_parts`: what other dossiers may have in common, twice, and plain data."""
        named = [(name, [_SEPARATOR.join(shape) for shape in shapes]) for name, (shapes, _) in self.tables.items()]
        return _json(named), _json(self.where), [self.lists, self.raws, list(self.faults.items())]


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def of_parts(structure: bytes, where: bytes, said: Any) -> Flat:
    """What `parts` gave; ValueError, LookupError, TypeError or AttributeError for anything else."""
    lists, raws, wrong = said
    faults = {cell: why for cell, why in wrong}  # noqa: C416  pairs, and nothing longer
    shaped, placed = _structured(structure), _placed(where)
    sound = (
        len(raws) == len(placed.lines) == shaped.cells + len(lists)
        and _TEXT.issuperset(map(type, raws))
        and _TEXT.issuperset(map(type, (*lists, *faults.values())))
        and all(type(cell) is int and 0 <= cell < len(raws) for cell in faults)
    )
    if not sound:
        raise ValueError("not flat facts")
    return Flat(shaped, placed, _same(tuple(lists)), _texts(raws), faults)


@shared
def _structured(data: bytes) -> Structure:
    return _structure(tuple([(name, tuple(rows)) for name, rows in json.loads(data)]))


@shared
def _placed(data: bytes) -> Where:
    lines, columns, starts, files, spots = json.loads(data)
    found = Where(tuple(lines), tuple(columns), tuple(starts), tuple(files), tuple(map(tuple, spots)))
    sound = (
        len(lines) == len(columns)
        and len(starts) == len(files) > 0
        and starts == sorted(starts)
        and starts[0] == 0
        and _NUMBER.issuperset(map(type, (*lines, *columns, *starts)))
        and _TEXT.issuperset(map(type, files))
        and all(type(cell) is int for cell, _, _ in spots)
        and spots == sorted(spots, key=itemgetter(0))
    )
    if not sound:
        raise ValueError("not places")
    return found


def _shaped(named: Named) -> Structure:
    """Dossiers whose rows have the same columns share it."""
    tables: dict[str, tuple[tuple[Shape, ...], tuple[int, ...]]] = {}
    cell = 0
    for name, rows in named:
        shapes, firsts = tuple([_shape(row) for row in rows]), []
        for shape in shapes:
            firsts.append(cell)
            cell += len(shape)
        tables[sys.intern(name)] = shapes, tuple(firsts)
    return Structure(tables, cell)


@functools.lru_cache(maxsize=_ALIKE)
def _shape(names: str) -> Shape:
    """Rows of the same columns share it. A row without cells has no name."""
    listed = names.split(_SEPARATOR) if names else []
    return {sys.intern(name): index for index, name in enumerate(listed)}


_structure = shared(_shaped, rows_of)


@shared
def _equal(value: Hashable) -> Hashable:
    return value


def _same(value: Same) -> Same:
    """The first of equal values."""
    return cast("Same", _equal(value))


def _texts(raws: Sequence[str | None]) -> tuple[str | None, ...]:
    """The same texts, equal ones held once: most dossiers say the same words."""
    return tuple([None if raw is None else sys.intern(raw) for raw in raws])


def flat(tables: Mapping[str, Sequence[Cells]], lists: Mapping[str, Place]) -> Flat:
    """The same rows as columns; `lists`: where the list of each table is written."""
    if isinstance(tables, Flat):
        return tables
    named: list[tuple[str, tuple[str, ...]]] = []
    values: list[Value] = []
    for name, rows in tables.items():
        named.append((name, tuple([_SEPARATOR.join(row) for row in rows])))
        for row in rows:
            values.extend(row.values())
    values.extend([Value(None, place) for place in lists.values()])
    raws, places, why = zip(*values, strict=True) if values else ((), (), ())
    files, lines, columns, pages, spots = zip(*places, strict=True) if places else ((), (), (), (), ())
    starts, told = [0], [files[0] if files else ""]
    for cell, file in enumerate(files):
        if file is not told[-1] and file != told[-1]:
            starts.append(cell)
            told.append(file)
    seen = [
        (cell, page, spot)
        for cell, (page, spot) in enumerate(zip(pages, spots, strict=True))
        if page is not None or spot is not None
    ]
    where = Where(_same(lines), _same(columns), _same(tuple(starts)), _same(tuple(told)), tuple(seen))
    faults = {cell: text for cell, text in enumerate(why) if text is not None}
    return Flat(_structure(tuple(named)), where, _same(tuple(lists)), _texts(raws), faults)


class Lists(Mapping[str, Place]):
    """Table -> where its list is written, of flat facts."""

    __slots__ = ("_flat",)

    def __init__(self, facts: Flat) -> None:
        self._flat = facts

    def __getitem__(self, table: str) -> Place:
        facts = self._flat
        if table not in facts.lists:
            raise KeyError(table)
        return facts.place(facts.structure.cells + facts.lists.index(table))

    def __iter__(self) -> Iterator[str]:
        return iter(self._flat.lists)

    def __len__(self) -> int:
        return len(self._flat.lists)


class _Rows(Sequence[Cells]):
    """The rows of a table."""

    __slots__ = ("_firsts", "_flat", "_shapes")

    def __init__(self, facts: Flat, shapes: Sequence[Shape], firsts: Sequence[int]) -> None:
        self._flat, self._shapes, self._firsts = facts, shapes, firsts

    @overload
    def __getitem__(self, index: int) -> Cells: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Cells]: ...
    def __getitem__(self, index: int | slice) -> Cells | Sequence[Cells]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        return _Row(self._flat, self._shapes[index], self._firsts[index])

    def __len__(self) -> int:
        return len(self._shapes)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]


class _Row(Mapping[str, Value]):
    """A row."""

    __slots__ = ("_first", "_flat", "_shape")

    def __init__(self, facts: Flat, shape: Shape, first: int) -> None:
        self._flat, self._shape, self._first = facts, shape, first

    def __getitem__(self, column: str) -> Value:
        return self._flat.value(self._first + self._shape[column])

    def get(self, column: str, default: Any = None) -> Any:
        """The value of a column, or what is given instead."""
        index = self._shape.get(column)
        return default if index is None else self._flat.value(self._first + index)

    def __contains__(self, column: object) -> bool:
        return column in self._shape

    def __iter__(self) -> Iterator[str]:
        return iter(self._shape)

    def __len__(self) -> int:
        return len(self._shape)
