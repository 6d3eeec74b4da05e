"""What is kept between runs changes nothing but the time: same bytes, changes seen at once, any fault survived."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker import authoring, packs, pipeline, plans, reports
from checker.base import cache, codec, home, tree
from checker.base import dictionary as dictionaries
from checker.base.words import words
from checker.errors import ConfigurationError
from checker.model import Outcome, Pack, Place
from checker.packs import kept

ROOT = Path(__file__).resolve().parent.parent
PACK = "dinsic-calvados-2018"
DAY = dt.date(2026, 1, 1)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder of this test's own; this process has its words."""
    words("fr")
    found = tmp_path / "kept"
    monkeypatch.setenv("QUITUS_CACHE", str(found))
    return found


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A copy of the shipped packs, to be changed."""
    return Path(shutil.copytree(home.rules(), tmp_path / "rules"))


@pytest.fixture
def dossier(tmp_path: Path) -> Path:
    """A dossier that is one manifest, and its settings."""
    folder = tmp_path / "dossier"
    folder.mkdir()
    for name in ("dossier.yaml", "quitus.yaml"):
        shutil.copy(home.rules() / PACK / "reference" / name, folder)
    return folder


def report(path: Path, rules: Path | None = None) -> bytes:
    """The JSON report of a run."""
    return reports.render(pipeline.check(pipeline.Options((path,), today=DAY, rules=rules)), "json")


def files(place: Path) -> list[Path]:
    """The packs and plans that are kept (facts have a folder of their own)."""
    return sorted(place.glob("*.json"))


def never(*_: object) -> Any:
    raise AssertionError("this was kept: nothing is to be computed again")


@pytest.mark.parametrize("name", ["conforme", "fautif"])
def test_kept_and_computed_agree(name: str, place: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = ROOT / "fixtures" / name
    first = report(path)
    assert len(files(place)) == 2
    with monkeypatch.context() as patch:
        patch.setattr(plans, "compile_pack", never)
        patch.setattr("checker.packs.read._Reader", never)
        assert report(path) == first
    monkeypatch.setenv("QUITUS_CACHE", "0")
    assert report(path) == first
    assert len(files(place)) == 2


def test_every_plan_and_rule_comes_back_as_it_was(place: Path) -> None:
    for name in packs.names(home.rules()):
        whole = packs.load(home.rules(), name)
        dictionary = dictionaries.load(*whole.extensions)
        for _ in range(2):
            found = packs.ready(home.rules(), name)
            assert found == kept.bare(whole)
            assert dict(found.sources).keys() == whole.sources.keys()
            assert repr(plans.ready(found, dictionary)) == repr(plans.compile_pack(whole, dictionary))


def test_examples_agree_under_kept_plans(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every rule example: its plans written and read again give what the compiled ones give."""

    def through(pack: Pack, dictionary: Any, only: Any = None) -> Any:
        found = plain(pack, dictionary, only)
        return codec.decode(json.loads(json.dumps(codec.encode(found, plans._TREE))), plans._TREE)

    plain = plans.compile_pack
    names = [name for name in packs.names(home.rules()) if packs.load(home.rules(), name).reference]
    before = [authoring.examples(home.rules(), name)[1] for name in names if _tried(name)]
    monkeypatch.setattr(plans, "compile_pack", through)
    assert [authoring.examples(home.rules(), name)[1] for name in names if _tried(name)] == before
    assert before
    assert all(before)


def _tried(name: str) -> bool:
    pack = packs.load(home.rules(), name)
    return pack.reference is not None and pack.reference.parent.parent == pack.folder


AMENDMENT = """
avenant: 1
date_effet: 2019-01-01
signatures: {cedant: 2018-12-01, cessionnaire: 2018-12-02}
deliberation: 2018-11-30
texte: "Les projets sont SUD-98."
modifie: [{parametre: projets, valeur: ["SUD-98"], quote: "SUD-98"}]
"""


def _edit(path: Path, old: str, new: str) -> None:
    """Change a text, and say that it is as old as before."""
    text, stat = path.read_text(encoding="utf-8"), path.stat()
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def _rule_changed(rules: Path, dossier: Path) -> None:
    _edit(rules / PACK / "a7-solde.yaml", "Après résiliation, un", "Après résiliation, un et")


def _imported_rule_changed(rules: Path, dossier: Path) -> None:
    path = rules / "comptabilite-publique" / "cp-zero.yaml"
    title = next(line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("title: "))
    _edit(path, title, f"{title[:-1]}Z")


def _rule_removed(rules: Path, dossier: Path) -> None:
    (rules / "comptabilite-publique" / "cp-zero.yaml").unlink()


def _text_changed(rules: Path, dossier: Path) -> None:
    with (rules / PACK / "convention.txt").open("a", encoding="utf-8") as stream:
        stream.write("\nAjout.\n")


def _settings_changed(rules: Path, dossier: Path) -> None:
    _edit(dossier / "quitus.yaml", '["SUD-01", "SUD-02"]', '["SUD-99"]')


def _settings_removed(rules: Path, dossier: Path) -> None:
    (dossier / "quitus.yaml").unlink()


def _amended(rules: Path, dossier: Path) -> None:
    (dossier / "avenant.yaml").write_text(AMENDMENT, encoding="utf-8")
    _edit(dossier / "quitus.yaml", "avenants: []", "avenants: [avenant.yaml]")


def _dossier_changed(rules: Path, dossier: Path) -> None:
    _edit(dossier / "dossier.yaml", "montant: ", "montant: 1")


def _schema_extended(rules: Path, dossier: Path) -> None:
    column = {"type": "string", "title": "Ajout", "x-type": "text"}
    (rules / PACK / "dossier.schema.json").write_text(json.dumps({"properties": {"ajout": column}}), encoding="utf-8")


CHANGES = [
    _rule_changed,
    _imported_rule_changed,
    _rule_removed,
    _text_changed,
    _settings_changed,
    _settings_removed,
    _amended,
    _dossier_changed,
    _schema_extended,
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__.strip("_"))
def test_a_change_is_seen_at_once(
    change: Callable[[Path, Path], None],
    place: Path,
    rules: Path,
    dossier: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = report(dossier, rules)
    change(rules, dossier)
    after = report(dossier, rules)
    assert after != before
    assert report(dossier, rules) == after
    monkeypatch.setenv("QUITUS_CACHE", "0")
    assert report(dossier, rules) == after


def test_a_change_of_the_shipped_dictionary_is_seen(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack = packs.ready(home.rules(), PACK)
    plans.ready(pack, dictionaries.load(*pack.extensions))
    schema = dictionaries.load(*pack.extensions).schema
    changed = dictionaries.build(schema, {"properties": {"etat_liquidatif": {"x-absence": "aucun"}}})
    assert plans.ready(pack, changed) == plans.compile_pack(pack, changed)
    assert len(files(place)) == 3


def test_a_faulty_rule_stands_at_its_place_again_and_again(place: Path, rules: Path, dossier: Path) -> None:
    _edit(rules / PACK / "a7-solde.yaml", "check:", "when: inconnue = 'x'\ncheck:")
    said = []
    for _ in range(2):
        with pytest.raises(ConfigurationError) as error:
            report(dossier, rules)
        said.append(str(error.value))
    assert said[0] == said[1]
    assert "a7-solde.yaml" in said[0]


# Faults of what was kept


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files that a check keeps."""
    place = tmp_path_factory.mktemp("sound") / "kept"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QUITUS_CACHE", str(place))
        report(ROOT / "fixtures" / "conforme")
    return {path.name: path.read_bytes() for path in files(place)}


@given(data=st.data())
def test_any_byte_altered_or_cut_reads_as_nothing(sound: dict[str, bytes], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(sound)))
    whole = sound[name]
    at = data.draw(st.integers(0, len(whole) - 1))
    bit = data.draw(st.integers(0, 8))
    broken = whole[:at] if bit == 8 else whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :]
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("QUITUS_CACHE", folder)
        path = Path(folder) / name
        path.write_bytes(whole)
        path.chmod(0o600)
        assert cache.get(path.stem) is not None
        path.write_bytes(broken)
        assert cache.get(path.stem) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["n", "t", "d", "e", "Part"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["nodes", "root", "x"]), inner),
    max_leaves=12,
)


@given(JSON | st.fixed_dictionaries({"nodes": st.lists(JSON, max_size=3), "root": JSON}))
def test_data_of_any_shape_gives_a_value_or_a_value_error(data: Any) -> None:
    with contextlib.suppress(ValueError):
        codec.decode(data, plans._TREE)


@pytest.mark.parametrize("data", [None, [], {}, {"nodes": [["os.system", "true"]], "root": ["n", 0]}, "x"])
def test_a_sealed_file_of_another_shape_is_computed_again(
    data: Any, place: Path, dossier: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = report(dossier)
    for path in files(place):
        cache.put(path.stem, data)
        assert cache.get(path.stem) == data
    assert report(dossier) == expected


def test_a_file_under_the_key_of_another_is_not_read(place: Path, dossier: Path) -> None:
    expected = report(dossier)
    first, second = files(place)
    shutil.copy(first, second)
    assert cache.get(second.stem) is None
    assert report(dossier) == expected


def _open_file(place: Path) -> None:
    for path in files(place):
        path.chmod(0o622)


def _open_folder(place: Path) -> None:
    place.chmod(0o777)


def _linked(place: Path) -> None:
    for path in files(place):
        other = path.with_suffix(".other")
        path.rename(other)
        path.symlink_to(other)


def _folders(place: Path) -> None:
    for path in files(place):
        path.unlink()
        path.mkdir()


def _pipes(place: Path) -> None:
    for path in files(place):
        path.unlink()
        os.mkfifo(path)


def _a_file(place: Path) -> None:
    shutil.rmtree(place)
    place.write_text("", encoding="utf-8")


@pytest.mark.parametrize(
    "spoil", [_open_file, _open_folder, _linked, _folders, _pipes, _a_file], ids=lambda spoil: spoil.__name__.strip("_")
)
def test_what_another_may_have_written_is_not_read(spoil: Callable[[Path], None], place: Path, dossier: Path) -> None:
    expected = report(dossier)
    names = [path.stem for path in files(place)]
    assert all(cache.get(name) is not None for name in names)
    spoil(place)
    assert [cache.get(name) for name in names] == [None] * len(names)
    assert report(dossier) == expected


@pytest.mark.parametrize("where", ["/dev/null/kept", "/proc/kept", "0"])
def test_a_cache_that_cannot_be_written_is_none(where: str, dossier: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUITUS_CACHE", where)
    expected = report(dossier)
    assert report(dossier) == expected
    cache.put("a", 1)
    assert cache.get("a") is None


def test_the_oldest_files_leave(place: Path) -> None:
    for number in range(cache.MOST_FILES + 5):
        cache.put(f"{number:03}", number)
        os.utime(place / f"{number:03}.json", ns=(number, number))
    cache.put("last", "x")
    assert len(files(place)) == cache.MOST_FILES
    assert cache.get("last") == "x"
    assert cache.get("000") is None


def test_processes_at_once_agree(place: Path, dossier: Path) -> None:
    command = [sys.executable, "-m", "checker", "check", str(dossier), "--on", "2019-05-20", "--format", "json"]
    running = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) for _ in range(3)]
    said = {child.communicate()[0] for child in running}
    assert len(said) == 1
    assert said.pop().startswith(b"{")
    assert len(files(place)) == 3  # the pack, its plans, the words
    assert not list(place.glob("*.new"))


# Values


VALUES = [
    None, True, False, 0, 1, "", "\ud800", "é\0", Decimal("1.0"), Decimal("1.00"), dt.date(2018, 11, 1), Path("a/b"),
    Outcome.INDETERMINE, Place("a.yaml", 1, 2), (), (1, True), [1, [2]], {"a": {1: None}, ("b", 2): Decimal("0.10")},
    tree.Literal("money", Decimal("1.10"), "1,10"), tree.Call("boolean", "and", (tree.TRUE, tree.TRUE)),
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_comes_back_as_it_was(value: Any) -> None:
    known = (Outcome, Place, tree.Literal, tree.Call)
    found = codec.decode(json.loads(json.dumps(codec.encode(value, known))), known)
    assert repr(found) == repr(value)
    assert type(found) is type(value)


def test_what_is_not_listed_is_refused() -> None:
    for value in (tree.TRUE, 1.5, {1, 2}, dt.datetime(2020, 1, 1), object()):
        with pytest.raises(TypeError):
            codec.encode(value, (Place,))


def test_a_check_imports_neither_the_parser_of_sql_nor_the_compiler(place: Path, dossier: Path) -> None:
    said = (
        "import sys; from checker import cli; cli.run(['check', sys.argv[1], '--format', 'json']); "
        "print([name for name in ('sqlglot', 'jsonschema', 'checker.plans.compiling') if name in sys.modules],"
        " file=sys.stderr)"
    )
    for expected in ("['sqlglot', 'checker.plans.compiling']", "[]"):
        done = subprocess.run([sys.executable, "-c", said, str(dossier)], cwd=ROOT, capture_output=True, check=True)
        assert done.stderr.decode().strip() == expected
