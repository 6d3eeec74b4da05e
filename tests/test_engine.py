"""The engine against the oracle: examples of rules, hostile dossiers, random trees on random tables, edge values."""

from __future__ import annotations

import datetime as dt
import functools
import itertools
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from stdnum import luhn
from stdnum.exceptions import ValidationError
from stdnum.fr import siren as stdnum_siren
from stdnum.fr import siret as stdnum_siret
from stdnum.fr import tva as stdnum_tva
from stdnum.iso7064 import mod_97_10

from checker import facts, findings, packs, plans, tables
from checker.base import dictionary as dictionaries
from checker.base import home, tree, yamlfile
from checker.base.dictionary import ROOT, Dictionary
from checker.base.frames import Frames
from checker.base.tree import Aggregate, Call, Column, Expr, Literal, Part, Plan, Running, Scalar, StateOf
from checker.findings.engines import duckdb
from checker.findings.reads import PER_PART
from checker.findings.sql import Emitter, Statement
from checker.model import Dossier, Example, Outcome, Pack, Place, Row, Rows, Rule, State, Submitted, Value
from checker.plans.scope import named
from tests import oracle

RULES = home.rules()
BATCH = 20  # dossiers a seed


@dataclass(frozen=True)
class World:
    """A pack under some settings, compiled, with its reference dossier."""

    pack: Pack
    dictionary: Dictionary
    node: yamlfile.Node
    plans: tuple[Plan, ...]


def _packs() -> list[str]:
    """The packs that have a reference dossier of their own."""
    loaded = [packs.load(RULES, name) for name in packs.names(RULES)]
    return [pack.id for pack in loaded if pack.reference is not None and pack.folder in pack.reference.parents]


@functools.cache
def _loaded(name: str) -> tuple[Pack, Dictionary, yamlfile.Node]:
    pack = packs.load(RULES, name)
    assert pack.reference is not None
    node = yamlfile.compose(yamlfile.read_text(pack.reference, "dossier.yaml"), "dossier.yaml")
    return pack, dictionaries.load(*pack.extensions), node


def _world(name: str, data: Any, only: frozenset[str] | None = None) -> World:
    pack, dictionary, node = _loaded(name)
    base = packs.reference_settings(pack)
    laid = packs.overlay(pack, packs.laid_settings(base, data, Place("quitus.yaml")))
    return World(pack, dictionary, node, plans.compile_pack(laid, dictionary, only))


@functools.cache
def world(name: str, settings: str) -> World:
    """All rules of a pack: under its reference settings, or under none (what is not given is unknown, or bounded)."""
    pack, _, _ = _loaded(name)
    return _world(name, packs.reference_settings(pack).data if settings == "reference" else {})


def disagreements(compiled: Sequence[Plan], frames: Frames) -> list[str]:
    """Where the engine and the oracle differ: on a row, or on the dossier as the room `findings` folds it.

    Of a running sum the engine may know less than the oracle (`indetermine`), never more: a window of SQL has no exact
    « may come before ».
    """
    vague = {plan.rule for plan in compiled for part in plan.parts for let in part.lets if isinstance(let, Running)}
    wanted = oracle.evaluate(compiled, frames)
    owners = {id(part): plan.rule for plan in compiled for part in plan.parts}
    seen: dict[tuple[str, int], dict[tuple[str, int], list[Outcome]]] = {}
    real = duckdb.Session.run

    def recording(session: duckdb.Session, statement: Statement) -> list[tuple[Any, ...]]:
        rows = real(session, statement)
        for row in rows:
            start = 2
            for part in statement.parts:
                if id(part) in owners:
                    cells = seen.setdefault((owners[id(part)], int(row[0])), {})
                    cells.setdefault((statement.subject, int(row[1])), []).append(Outcome(row[start]))
                start += PER_PART + len(part.shows)
        return rows

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(duckdb.Session, "run", recording)
        folded, faults = findings.evaluate(compiled, frames)
    said: list[str] = [f"the engine refuses {fault}" for fault in faults]
    refused = {fault.split(" ")[0] for fault in faults}
    for rule in sorted(wanted.keys() - refused):
        for index, want in wanted[rule].items():
            got = {place: oracle.worst(parts) for place, parts in seen.get((rule, index), {}).items()}
            for place in sorted({place for place in want if place[1] != oracle.NO_ROW} | set(got)):
                if got.get(place) != want.get(place) and not (rule in vague and got.get(place) == Outcome.INDETERMINE):
                    said.append(
                        f"{rule} dossier {index} {place}:"
                        f" engine {_word(got.get(place))}, oracle {_word(want.get(place))}"
                    )
            whole, outcome = oracle.worst(list(want.values())), folded[rule][index].outcome
            if outcome != whole and not (rule in vague and outcome == Outcome.INDETERMINE):
                said.append(f"{rule} dossier {index}: engine {outcome.word}, oracle {whole.word}")
    return said


def _word(outcome: Outcome | None) -> str:
    return "nothing" if outcome is None else outcome.word


# --- the examples of the rules ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", _packs())
def test_the_oracle_agrees_on_every_example(name: str) -> None:
    pack, dictionary, node = _loaded(name)
    base = packs.reference_settings(pack)
    batches: dict[str, list[tuple[Rule, Example]]] = {}
    for rule in pack.rules:
        for item in rule.examples if rule.place.file.split("/")[0] in pack.examples_of else ():
            batches.setdefault(repr(item.settings), []).append((rule, item))
    said: list[str] = []
    chunks = [found[start : start + 50] for found in batches.values() for start in range(0, len(found), 50)]
    for batch in chunks:
        made = _world(name, facts.given.merge(base.data, batch[0][1].settings), frozenset(rule.id for rule, _ in batch))
        submitted = [
            facts.example(node, data, dictionary, (pack.id,), item.on, run)
            for run, (_, item) in enumerate(batch)
            for data in (item.given, *item.others)
        ]
        said += disagreements(made.plans, tables.build(submitted, dictionary))
    assert not said, "\n".join(said[:20])


# --- hostile dossiers -------------------------------------------------------------------------------------------------

TEXTS = (
    "O'Brien", '"; DROP TABLE dossier; --', "%_", "\\", "{0}", "$plafond", "Dupont\n", "E\u0301tat", "État", "a\u00a0b",
    "\u202f", "\u200b", "\u0660\u0661", "1e3", "NaN", "-- ", "/* */", "'; SELECT 1; '", "\U0001f9fe", "0" * 300,
    "ﬁn", "İ",
)  # fmt: skip
TRAPS: Mapping[str, tuple[Any, ...]] = {
    "money": ("0.00", "0.01", "-0.01", "-1.00", "83999.99", "84000.01", "200000.00", "200000.01", "1.234", "84 000,00",
              "84\u00a0000,00\n", "\u0664\u0662", "9999999999999.99", "1e3", "NaN", "60000.00", "24000", "36000.00"),
    "letters": ("un euro", "quatre-vingt-quatre mille euros", "zéro euro", "beaucoup"),
    "percent": ("0", "100", "99.9999", "100.0001", "60", "40", "33.333", "20.00001", "-5", "5.5", "\u0665"),
    "number": ("1", "2", "3", "-1", "0", "1.0", "1.5", "\u0661", "999999999999999"),
    "date": ("2019-03-04", "04/03/2019", "2019-02-30", "2018-11-20", "2018-11-06", "2018-11-07", "2020-02-29",
             "2019-12-31", "2023-01-01", "\u0662\u0660\u0661\u0669-03-04", "2019-03-04\n", "2019-13-01",
             "1900-01-01", "9999-12-31",
             "2019-03-18", "3/4/2019"),
    "boolean": ("true", "false", "oui", "non", "peut-être", "1"),
    "siret": ("99900011000018", "22140118500014", "221 401 185 00014",
              "35600000000048", "35600000049837",
              "99900011000019", "123", "\u0661\u0662", "999000110\u00a000018"),
    "iban": ("FR7630006000011234567890189", "FR76 3000 6000 0112 3456 7890 189", "FR7630006000011234567890188",
             "DE89370400440532013000", "XX"),
    "sha256": ("0" * 64, "A" * 64, "zz"),
}  # fmt: skip
NOTHING: tuple[Any, ...] = (None, "", "  ", "\u00a0", "illisible")
BLOCKS: tuple[Any, ...] = (
    {"resiliation": {"date": "2019-02-01", "auteur": "DINSIC", "mode": "courriel", "date_reception": "2019-02-04"}},
    {"resiliation": {"date": "2019-03-05", "auteur": "Département du Calvados", "mode": "lettre_recommandee_ar"}},
    {"litige": {"ouvert": "true", "montant": "100.00", "demarche_amiable": {"date": "2019-04-01", "fichier": "d.pdf"}}},
    {"suspension": {"date": "2019-04-10", "auteur": "Payeur", "motifs": ["x"], "pieces_demandees": ["y"]}},
    {"avoirs": [{"numero": "A-1", "facture": "F-2018-118", "date": "2019-01-15", "montant": "10.00", "deduit": "non"}]},
    {"avoirs": [{"numero": "A-1", "facture": "F-2018-118", "date": None, "montant": "x", "deduit": "true"}]},
    {"avoirs": "illisible"},
    {"interruptions_prescription": [{"date": "2022-12-31", "nature": "relance"}, {"date": "x", "nature": ""}]},
    {"date_controle": "2023-01-02"},
    {"date_controle": "2027-01-02", "interruptions_prescription": [{"date": "2022-12-31", "nature": "relance"}]},
    {"paiements": []},
    {"paiements": ""},
    {"depenses": []},
    {"depenses": "illisible"},
    {"depenses": None},
    {"pieces": []},
    {"pieces": "illisible"},
    {"pieces": {"4": {"lignes": "illisible"}}},
    {"pieces": {"4": {"lignes": ["1", "x"]}}},
    {"pieces": {"5": {"lignes": []}}},
    {"attestations": None},
    {"attestations": "illisible"},
    {"etat_liquidatif": {"totaux_par_compte": {"6113110000": "59999.99", "6256000000": "0.01"}}},
    {"etat_liquidatif": {"totaux_par_compte": None}},
    {"etat_liquidatif": {"totaux_par_compte": "illisible"}},
    {"depenses": {"2": {"ligne": "1"}}},
    {"depenses": {"2": {"fournisseur": {"siret": "99900011000018"},
                        "facture": {"numero": "F-2018-118", "date": "2018-12-14"}}}},
    {"depenses": {"1": {"quote_part": {"pourcentage": "60", "autres_conventions": [{"pourcentage": "50"}]}}}},
    {"depenses": {"1": {"quote_part": {"pourcentage": "60", "autres_conventions": [{"pourcentage": None}]}}}},
    {"depenses": {"1": {"quote_part": {"autres_conventions": "illisible"}}}},
    {"depenses": {"1": {"facture": {"type": "avoir", "montant_ttc": "-60000.00"}, "montant": "-60000.00"}}},
    {"depenses": {"3": {"ligne": "3", "compte_pce": "6113110000", "montant": "0.01"}}},
    {"paiements": {"2": {"mandat": "2019-4512", "montant": "0.01", "date_mandat": "2019-05-06"}}},
    {"etat_liquidatif": {"type": "solde"}},
    {"etat_liquidatif": ["une liste"]},  # the dossier cannot be read
    {"cle_inconnue": "x"},
)  # fmt: skip


def leaves(node: yamlfile.Node, dictionary: Dictionary) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every leaf of the reference dossier, as a path for an overlay (items of lists count from 1), with its type."""

    def walk(here: yamlfile.Node, path: tuple[str, ...], column: str) -> Iterator[tuple[tuple[str, ...], str]]:
        if isinstance(here.data, dict):
            for key, child in here.data.items():
                yield from walk(child, (*path, key), f"{column}.{key}" if column else key)
        elif isinstance(here.data, list):
            for index, child in enumerate(here.data, start=1):
                yield from walk(child, (*path, str(index)), column)
        else:
            found = dictionary.column(column)
            yield path, found[1].type if found is not None else "text"

    yield from walk(node, (), "")


def overlay(path: Sequence[str], leaf: Any) -> Any:
    """The data that changes one place."""
    return overlay(path[:-1], {path[-1]: leaf}) if path else leaf


def mixed(base: Any, data: Any) -> Any:
    """Two overlays in one."""
    if isinstance(base, dict) and isinstance(data, dict):
        return {**base, **{key: mixed(base.get(key), item) for key, item in data.items()}}
    return data


def hostile(seed: int, made: World) -> Frames:
    """A batch of dossiers of several runs, each with a few traps, some with the same numbers and dates as another."""
    chance = random.Random(seed)
    places = [(path, kind) for path, kind in leaves(made.node, made.dictionary) if path != ("convention",)]
    pool: dict[str, list[str]] = {}
    for path, kind in places:
        found = made.node
        for key in path:
            found = found.data[int(key) - 1] if isinstance(found.data, list) else found.data[key]
        if found.data:
            pool.setdefault(kind, []).append(found.data)
    submitted: list[Submitted] = []
    run = 0
    while len(submitted) < BATCH:
        for rank in range(chance.randint(1, 5)):
            data: Any = {"reference": chance.choice((f"D-{rank}", f"D-{rank}", "D"))}
            if rank:
                number = chance.choice(("EL-2019-01", "EL-2019-02", "EL-2019-03", None))
                day = chance.choice(("2019-03-04", "2019-03-04", "2019-03-05", "2019-02-01", None))
                data["etat_liquidatif"] = {
                    "numero": number,
                    "date": day,
                    "total": chance.choice(("120000.00", "116000.00", "116000.01", None, "-5.00")),
                }
            for _ in range(chance.choice((0, 1, 2, 3, 8))):
                path, kind = chance.choice(places)
                trap = chance.choice((*TRAPS.get(kind, TEXTS), *NOTHING, *chance.sample(pool.get(kind, TEXTS), 1)))
                if path != ("etape",) or trap in ("etat_liquidatif", "certification"):
                    data = mixed(data, overlay(path, trap))
            if chance.random() < 0.5:
                data = mixed(data, chance.choice(BLOCKS))
            if chance.random() < 0.3:
                data = mixed(
                    data, {"etape": chance.choice(("etat_liquidatif", "certification", "titre_de_perception"))}
                )
            submitted.append(facts.example(made.node, data, made.dictionary, (made.pack.id,), None, run))
        run += 1
    return tables.build(submitted, made.dictionary)


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("name", _packs())
def test_the_oracle_agrees_on_hostile_dossiers(name: str, seed: int) -> None:
    made = world(name, "reference" if seed % 5 else "none")
    said = disagreements(made.plans, hostile(seed, made))
    assert not said, "\n".join(said[:20])


# --- random trees on random tables ------------------------------------------------------------------------------------

SMALL = dictionaries.build(
    {
        "properties": {
            "reference": {"x-type": "text"},
            "etape": {"x-type": "word"},
            "jour": {"x-type": "date"},
            "numero": {"x-type": "reference"},
            "total": {"x-type": "money"},
            "lignes": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "cle": {"x-type": "code"},
                        "rang": {"x-type": "number"},
                        "montant": {"x-type": "money"},
                        "part": {"x-type": "percent"},
                        "jour": {"x-type": "date"},
                        "vrai": {"x-type": "boolean"},
                        "autres": {
                            "type": "array",
                            "x-absence": "aucun",
                            "items": {
                                "type": "object",
                                "properties": {"cle": {"x-type": "code"}, "montant": {"x-type": "money"}},
                            },
                        },
                    },
                },
            },
            "avoirs": {
                "type": "array",
                "x-absence": "aucun",
                "items": {
                    "type": "object",
                    "properties": {
                        "cle": {"x-type": "code"},
                        "montant": {"x-type": "money"},
                        "jour": {"x-type": "date"},
                    },
                },
            },
        }
    }
)
RAW: Mapping[str, tuple[str | None, ...]] = {
    "code": ("A", "B", "B", "C'", None, ""),
    "reference": ("N1", "N2", "N3", None),
    "text": ("R1", "R2", "R2"),
    "number": ("1", "2", "2", "3", None, "x"),
    "money": ("10.00", "10.01", "9.99", "0.00", "20.00", "0.01", None, "x", "-5.00"),
    "percent": ("50", "33.3333", "100", "0.005", None, "x"),
    "date": ("2019-01-01", "2019-01-02", "2019-01-02", "2019-02-28", "2020-02-29", None, "2019-02-30"),
    "boolean": ("true", "false", "true", None, "x"),
    "word": ("etat_liquidatif", "certification"),
}


def small_tables(chance: random.Random) -> Frames:
    """A few runs of small dossiers, with unknown facts, ties, hidden lists and unreadable dossiers."""
    here = Place("dossier.yaml", 1, 1)
    submitted = []
    for index in range(chance.randint(4, 9)):
        clean = chance.random() < 0.4  # some dossiers know everything, else nothing is ever decided
        rows: dict[str, list[Row]] = {name: [] for name in SMALL.tables}
        parents: dict[str, list[int]] = {name: [] for name in SMALL.tables}
        states: dict[tuple[str, int], State] = {}

        def add(table: str, parent: int) -> int:
            row: Row = {}
            for name, item in SMALL.tables[table].fields.items():
                raws = RAW[item.type]
                raw = chance.choice([r for r in raws if r not in (None, "", "x", "2019-02-30")] if clean else raws)  # noqa: B023
                if raw is not None:
                    row[name] = Value(raw, here)
            rows[table].append(row)  # noqa: B023
            parents[table].append(parent)  # noqa: B023
            return len(rows[table]) - 1  # noqa: B023

        add(ROOT, 0)
        rows[ROOT][0]["etape"] = Value(chance.choice(RAW["word"]), here)
        for table in ("lignes", "avoirs"):
            if not clean and chance.random() < 0.15:
                states[(table, 0)] = chance.choice((State.BLANK, State.UNREADABLE, State.ABSENT, State.NONE))
                if chance.random() < 0.7:
                    continue
            for _ in range(chance.randint(0, 4)):
                row = add(table, 0)
                if table == "lignes":
                    if not clean and chance.random() < 0.15:
                        states[("lignes.autres", row)] = chance.choice((State.UNREADABLE, State.ABSENT, State.NONE))
                    else:
                        for _ in range(chance.randint(0, 2)):
                            add("lignes.autres", row)
        submitted.append(
            Submitted(Dossier(Path(), str(index)), Rows(rows, parents, states, {}), run=chance.choice((0, 0, 1)))
        )
    return tables.build(submitted, SMALL)


class Trees:
    """Random trees over the small dictionary."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.count = 0

    def column(self, tables_near: Sequence[str], family: str) -> Column | None:
        found = [
            Column(item.type, table, name)
            for table in tables_near
            for name, item in SMALL.tables[table].fields.items()
            if tree.family(item.type) == family and item.type != "block" and name not in ("etape", "reference")
        ]
        return self.chance.choice(found) if found else None

    def number(self, near: Sequence[str], depth: int = 2) -> Expr:
        one = self.column(near, "number")
        if one is None or self.chance.random() < 0.2:
            one = None
        if depth == 0 or self.chance.random() < 0.5:
            return one or Literal("money", Decimal(self.chance.choice(("0.00", "0.01", "10.00", "-5.00", "20.005"))))
        op = self.chance.choice(("add", "sub", "neg", "part", "greatest", "least", "case"))
        a, b = self.number(near, depth - 1), self.number(near, depth - 1)
        if op == "neg":
            return Call("money", op, (a,))
        if op == "part":
            amount = Column("money", "lignes", "montant") if "lignes" in near else Literal("money", Decimal("33.33"))
            return Call(
                "money", op, (amount, Literal("percent", Decimal(self.chance.choice(("50", "33.3333", "0.5", "100")))))
            )
        if op == "case":
            return Call("money", op, (self.boolean(near, depth - 1), a, b))
        return Call("money", op, (a, b))

    def date(self, near: Sequence[str]) -> Expr:
        found = self.column(near, "date") or Literal("date", dt.date(2020, 2, 29))
        if self.chance.random() < 0.7:
            return found
        op = self.chance.choice(("add_years", "add_months", "add_days", "year_end"))
        return Call("date", op, (found, Literal("number", self.chance.choice((-13, -1, 0, 1, 4, 12)))))

    def text(self, near: Sequence[str]) -> Expr:
        return self.column([table for table in near if table != ROOT], "text") or Literal(
            "code", self.chance.choice(("A", "C'", None))
        )

    def boolean(self, near: Sequence[str], depth: int = 2) -> Expr:
        if depth > 0 and self.chance.random() < 0.5:
            op = self.chance.choice(("and", "or", "not", "is_true", "is_null", "case"))
            args = tuple(self.boolean(near, depth - 1) for _ in range({"and": 3, "or": 2, "case": 3}.get(op, 1)))
            return Call("boolean", op, args)
        kind = self.chance.choice(("number", "date", "text", "boolean", "state", "in"))
        if kind == "state":
            found = self.column(near, self.chance.choice(("number", "date")))
            if found is not None:
                return Call(
                    "boolean",
                    "eq",
                    (StateOf("number", found.table, found.name), Literal("number", self.chance.randint(0, 4))),
                )
        if kind == "in":
            return Call(
                "boolean",
                "in",
                (self.text(near), Literal("code", "A"), Literal("code", self.chance.choice(("C'", "B", None)))),
            )
        if kind == "text":
            return Call("boolean", self.chance.choice(("eq", "ne")), (self.text(near), self.text(near)))
        if kind == "boolean":
            found = self.column(near, "boolean")
            return found if found is not None else Literal("boolean", self.chance.choice((True, False, None)))
        op = self.chance.choice(("eq", "ne", "lt", "le", "gt", "ge"))
        make = self.date if kind == "date" else self.number
        return Call("boolean", op, (make(near), make(near)))

    def let(self, subject: str, near: Sequence[str]) -> tree.Let:
        self.count += 1
        name = f"n{self.count}"
        if self.chance.random() < 0.45:
            return self.running(name, subject, near)
        return self.aggregate(name, subject, near)

    def aggregate(self, name: str, subject: str, near: Sequence[str]) -> Aggregate:
        fn = self.chance.choice(("sum", "count", "min", "max", "all", "any", "exists"))
        across = self.chance.choice(("dossier", "dossier", "convention"))
        table = self.chance.choice(
            ("lignes", "avoirs", "lignes.autres") if across == "dossier" else ("lignes", "avoirs", ROOT)
        )
        inner = [table]
        value: Expr | None = None
        kind = "number"
        if fn == "sum":
            value = self.column(inner, "number")
            assert value is not None
            kind = value.type
        elif fn in ("min", "max"):
            value = self.column(inner, "date") or self.column(inner, "number")
            assert value is not None
            kind = value.type
        elif fn in ("all", "any"):
            value = self.boolean(inner, 1)
            kind = "boolean"
        elif fn == "exists":
            kind = "boolean"
        seen = [*inner, *(near if across == "dossier" and subject != table else [])]
        where = self.boolean(seen, 1) if self.chance.random() < 0.5 else None
        by: list[tuple[Expr, Expr]] = []
        if self.chance.random() < 0.5:
            row, own = self.column(inner, "text"), self.column([subject], "text")
            if row is not None and own is not None:
                by.append((row, own))
        return Aggregate(name, fn, table, value, where, tuple(by), across, kind)

    def running(self, name: str, subject: str, near: Sequence[str]) -> Running:
        distinct = self.chance.random() < 0.3
        amount = Column("money", *(("lignes", "montant") if subject == "lignes" else (ROOT, "total")))
        what = (
            Column(*(("code", "lignes", "cle") if subject == "lignes" else ("reference", ROOT, "numero")))
            if distinct
            else amount
        )
        keys: list[Expr] = []
        if subject == "lignes" and self.chance.random() < 0.5:
            keys.append(Column("code", "lignes", "cle"))
        if self.chance.random() < 0.4:
            keys.append(Column("number", ROOT, "#"))
        first: list[Expr] = [Column("date", ROOT, "jour"), Column("reference", ROOT, "numero")]
        order = first
        if subject == "lignes":
            rank = Column("number", "lignes", "rang")
            orders: list[list[Expr]] = [first, [*first, rank], [rank]]
            order = self.chance.choice(orders)
        anchored = not distinct and self.chance.random() < 0.4
        anchor = (
            Call("boolean", "eq", (Column("reference", ROOT, "numero"), Literal("reference", "N1")))
            if anchored
            else None
        )
        return Running(
            name,
            subject,
            what,
            tuple(keys),
            tuple(order),
            anchored,
            anchor,
            distinct,
            "number" if distinct else "money",
        )

    def plan(self, index: int) -> Plan:
        parts = []
        subject = self.chance.choice((ROOT, "lignes", "lignes", "lignes.autres"))
        near = {ROOT: [ROOT], "lignes": ["lignes", ROOT], "lignes.autres": ["lignes.autres", "lignes", ROOT]}[subject]
        for _ in range(self.chance.randint(1, 2)):
            let = (
                self.let(subject, near)
                if subject != "lignes.autres"
                else Scalar("money", f"s{index}", self.number(near))
            )
            node = named(let)
            if tree.family(let.type) == "boolean":
                ok: Expr = node
            elif let.type == "date":
                ok = tree.compare(self.chance.choice(("le", "ge", "eq")), node, Literal("date", dt.date(2019, 1, 2)))
            else:
                limit = Literal("money", Decimal(self.chance.choice(("1.00", "10.00", "10.01", "30.00"))))
                ok = tree.compare(self.chance.choice(("le", "ge", "lt", "eq", "ne")), node, limit)
            if self.chance.random() < 0.5:
                ok = Call("boolean", self.chance.choice(("and", "or")), (ok, self.boolean(near)))
            when = self.boolean(near, 1) if self.chance.random() < 0.3 else None
            parts.append(
                Part(subject, self.chance.choice((0, 0, 1)), when, ok, self.chance.random() < 0.2,
                     tree.Literal("date", None), (let,), None, None, (), (), ())
            )  # fmt: skip
        return Plan(f"R{index}", tuple(parts))


@pytest.mark.parametrize("seed", range(60))
def test_the_oracle_agrees_on_random_trees(seed: int) -> None:
    chance = random.Random(seed)
    frames = small_tables(chance)
    trees = Trees(chance)
    compiled = [trees.plan(index) for index in range(12)]
    said = disagreements(compiled, frames)
    assert not said, "\n".join(
        [*said[:10], *(str(plan) for plan in compiled if said and said[0].startswith(plan.rule + " "))]
    )


# --- operators on edge values -----------------------------------------------------------------------------------------


def engine_says(nodes: Sequence[Expr]) -> list[Any]:
    """The values of trees without columns, as the engine computes them."""
    connection = duckdb._core().connect(":memory:")
    emitter = Emitter(duckdb.TEMPLATES, SMALL)
    found: list[Any] = []
    for start in range(0, len(nodes), 50):
        picked = ", ".join(emitter.expr(node, None, {}) for node in nodes[start : start + 50])
        found += connection.execute(f"SELECT {picked}").fetchone()
    connection.close()
    return found


def same_as_oracle(nodes: Sequence[Expr]) -> None:
    spot = oracle.Spot(small_tables(random.Random(0)), 0, {})
    wrong = [
        (node, got, want)
        for node, got in zip(nodes, engine_says(nodes), strict=True)
        if (want := oracle.value(node, spot)) != got or isinstance(want, bool) != isinstance(got, bool)
    ]
    assert not wrong, "\n".join(f"{node}: engine {got!r}, oracle {want!r}" for node, got, want in wrong[:10])


def _all(kind: str, op: str, *choices: Sequence[Literal]) -> list[Expr]:
    return [Call(kind, op, args) for args in itertools.product(*choices)]


def _literals(kind: str, values: Sequence[Any]) -> list[Literal]:
    return [Literal(kind, value) for value in values]


BOOLEANS = _literals("boolean", (True, False, None))
AMOUNTS = _literals(
    "money",
    [
        Decimal(text)
        for text in (
            "0.00",
            "0.01",
            "-0.01",
            "0.05",
            "-0.05",
            "1.05",
            "33.33",
            "200000.00",
            "200000.01",
            "9999999999999.99",
            "-9999999999999.99",
        )
    ]
    + [None],
)
PERCENTS = _literals(
    "percent", [Decimal(text) for text in ("0", "10", "50", "33.3333", "0.5", "100", "99.9999", "-50", "150")] + [None]
)
DAYS = _literals(
    "date",
    (
        dt.date(2019, 2, 28),
        dt.date(2020, 2, 29),
        dt.date(2019, 12, 31),
        dt.date(2019, 1, 31),
        dt.date(1900, 1, 1),
        dt.date(2100, 2, 28),
        dt.date(9999, 12, 31),
        None,
    ),
)
COUNTS = _literals("number", (0, 1, -1, 4, 12, -13, None))
WORDS = _literals(
    "text",
    (
        "",
        "a",
        "A",
        "é",
        "e\u0301",
        "O'Brien",
        "a\n",
        "%",
        "_",
        "\\",
        "a.b",
        "\U0001f9fe\U0001f9fe",
        "0001",
        "\u0661",
        "\u00a0",
        None,
    ),
)
PATTERNS = _literals("string", ("[0-9]{4}", "a", "a.b", "[A-Z]+", ".", "(a|b)?", "O'Brien", "[^a]*", "\\."))


@pytest.mark.parametrize("op", ["and", "or"])
def test_kleene(op: str) -> None:
    same_as_oracle([*_all("boolean", op, BOOLEANS, BOOLEANS), *_all("boolean", op, BOOLEANS, BOOLEANS, BOOLEANS)])


@pytest.mark.parametrize("op", ["not", "is_true", "is_null"])
def test_unary_booleans(op: str) -> None:
    same_as_oracle(_all("boolean", op, BOOLEANS))


def test_case() -> None:
    same_as_oracle(
        _all("boolean", "case", BOOLEANS, BOOLEANS, BOOLEANS, BOOLEANS, BOOLEANS)
        + _all("boolean", "case", BOOLEANS, BOOLEANS)
    )


@pytest.mark.parametrize("op", ["eq", "ne", "lt", "le", "gt", "ge"])
@pytest.mark.parametrize("values", [AMOUNTS, DAYS, COUNTS], ids=["amounts", "days", "counts"])
def test_comparisons(op: str, values: list[Literal]) -> None:
    same_as_oracle(_all("boolean", op, values, values))


@pytest.mark.parametrize("op", ["eq", "ne"])
def test_texts_are_equal_or_not(op: str) -> None:
    same_as_oracle(_all("boolean", op, WORDS, WORDS))


def test_in() -> None:
    same_as_oracle(_all("boolean", "in", WORDS, WORDS, WORDS[:3]) + _all("boolean", "in", AMOUNTS, AMOUNTS))


@pytest.mark.parametrize("op", ["add", "sub", "greatest", "least"])
def test_arithmetic(op: str) -> None:
    same_as_oracle(
        _all("money", op, AMOUNTS, AMOUNTS) + (_all("date", op, DAYS, DAYS) if op in ("greatest", "least") else [])
    )


def test_products_and_signs() -> None:
    same_as_oracle(_all("money", "mul", AMOUNTS, COUNTS) + _all("money", "neg", AMOUNTS))


def test_a_part_is_half_up_to_the_cent_for_every_amount_a_dossier_may_hold() -> None:
    same_as_oracle(_all("money", "part", AMOUNTS, PERCENTS))


@pytest.mark.parametrize("op", ["add_years", "add_months", "add_days", "year_end"])
def test_calendar(op: str) -> None:
    same_as_oracle(_all("date", op, DAYS, COUNTS) + (_all("number", "year", DAYS) + _all("number", "month", DAYS)))


def test_texts() -> None:
    same_as_oracle(
        _all("boolean", "starts", WORDS, WORDS) + _all("boolean", "contains", WORDS, WORDS)
        + _all("number", "length", WORDS) + _all("text", "left", WORDS, _literals("number", (0, 1, 2, None)))
    )  # fmt: skip


def test_patterns_match_whole_texts() -> None:
    values = [*WORDS, *_literals("text", ("0001\n", "\n0001", "00011", "a\nb", "O'Brien\n"))]
    same_as_oracle(_all("boolean", "match", values, PATTERNS))


def digits(chance: random.Random, size: int) -> str:
    return "".join(chance.choice("0123456789") for _ in range(size))


def valid(module: Any, text: str) -> bool:
    try:
        module.validate(text)
    except ValidationError:
        return False
    return True


def sirets(chance: random.Random) -> list[str]:
    """Random ones, half of them made to pass a check, some of La Poste, some of another length or script."""
    found = [
        "35600000000048",
        "35600000049837",
        "356000000",
        "",
        "x" * 14,
        "\u0661" * 14,
        "0" * 14,
        "1234567890123\n",
        " 1234567890123",
    ]
    for _ in range(80):
        siren = digits(chance, 8)
        siren += luhn.calc_check_digit(siren)
        nic = digits(chance, 4)
        found += [siren + nic + luhn.calc_check_digit(siren + nic), siren + digits(chance, 5), digits(chance, 14)]
        found += ["356000000" + digits(chance, 5), digits(chance, chance.choice((9, 13, 15)))]
    return found


def a_siret(text: str) -> bool:
    """As python-stdnum says; a number of La Poste that passes Luhn is one too, which python-stdnum refuses."""
    if not (text.isascii() and text.isdigit()):
        return False
    return valid(stdnum_siret, text) or (len(text) == 14 and text.startswith("356000000") and luhn.is_valid(text))


def test_siret_and_siren_are_those_of_python_stdnum() -> None:
    found = sirets(random.Random(1))
    got = engine_says([Call("boolean", "siret", (Literal("siret", text),)) for text in found])
    assert [text for text, said in zip(found, got, strict=True) if said != a_siret(text)] == []
    assert [text for text in found if oracle.siret(text) != a_siret(text)] == []
    sirens = [text[:9] for text in found]
    got = engine_says([Call("boolean", "siren", (Literal("siret", text),)) for text in sirens])
    assert got == [text.isascii() and text.isdigit() and valid(stdnum_siren, text) for text in sirens]


def test_vat_numbers_are_those_of_python_stdnum() -> None:
    chance = random.Random(2)
    found = []
    for _ in range(300):
        siren = digits(chance, 8)
        siren += luhn.calc_check_digit(siren)
        key = f"{int(siren + '12') % 97:02d}" if chance.random() < 0.5 else digits(chance, 2)
        found.append(f"FR{key}{siren}")
    got = engine_says([Call("boolean", "vat", (Literal("siret", text),)) for text in found])
    assert got == [valid(stdnum_tva, text) for text in found]
    odd = ["FR1234", "DE123456789", "", "FRAB123456789", "FR1\u0661123456789", "FR12123456789\n"]
    same_as_oracle([Call("boolean", "vat", (Literal("siret", text),)) for text in odd])


def test_ibans_are_those_of_python_stdnum() -> None:
    chance = random.Random(3)
    found = []
    for _ in range(200):
        country = chance.choice(("FR", "FR", "DE", "BE", "MC"))
        body = "".join(
            chance.choice("0123456789ABCXYZ") for _ in range({"FR": 23, "DE": 18, "BE": 12, "MC": 23}[country])
        )
        key = mod_97_10.calc_check_digits(body + country) if chance.random() < 0.5 else digits(chance, 2)
        found.append(country + key + body)
    got = engine_says([Call("boolean", "iban", (Literal("iban", text),)) for text in found])
    assert got == [mod_97_10.is_valid(text[4:] + text[:4]) for text in found]
    odd = [
        "FR7630006000011234567890189",
        "FR763000600001123456789018",
        "FR76",
        "",
        "fr7630006000011234567890189",
        "FR7630006000011234567890189\n",
    ]
    same_as_oracle([Call("boolean", "iban", (Literal("iban", text),)) for text in odd])


def test_every_operator_that_a_dialect_has_is_tried() -> None:
    """A new operator comes with its line in the oracle."""
    special = {"and", "or", "in", "case", "is_true", "is_null"}
    assert tree.OPERATORS & set(duckdb.TEMPLATES) <= set(oracle._PLAIN) | special


# --- a rule that the engine refuses -----------------------------------------------------------------------------------


def test_a_rule_that_the_engine_refuses_is_undecided_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other rules go on; the faulty one is `indetermine` for every dossier, with what the engine said (row 139)."""
    made = world(_packs()[0], "reference")
    submitted = [
        facts.example(made.node, {"reference": f"D-{run}"}, made.dictionary, (made.pack.id,), None, run)
        for run in range(2)
    ]
    frames = tables.build(submitted, made.dictionary)
    before, faults = findings.evaluate(made.plans, frames)
    assert not faults
    monkeypatch.setattr(duckdb, "TEMPLATES", {**duckdb.TEMPLATES, "siret": "no_such_function({0})"})
    after, faults = findings.evaluate(made.plans, frames)
    uses = {plan.rule for plan in made.plans for part in plan.parts if any(_reads(part, "siret"))}
    assert uses
    assert uses == {fault.split(" ")[0] for fault in faults}
    for rule, found in after.items():
        assert sorted(found) == [0, 1]
        for index, item in found.items():
            if rule in uses:
                assert item.outcome == Outcome.INDETERMINE
                assert any("no_such_function" in f"{finding.reason} {finding.message}" for finding in item.findings)
            else:
                assert item == before[rule][index]


def _reads(part: Part, op: str) -> Iterator[bool]:
    nodes = [part.ok, part.when, part.observed, part.expected, *(node for _, node in part.shows)]
    nodes += [node for let in part.lets for node in tree.let_exprs(let)]
    return (True for top in nodes for node in tree.walk(top) if isinstance(node, Call) and node.op == op)
