"""Dossiers in zips: what is found, how names are read, what `--dossier` and the settings do. Refusals: test_hostile."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Quitus

from checker import dossiers, pipeline
from checker.dossiers import zips
from checker.errors import NothingToCheck, UsageError
from checker.model import Dossier, Limits

ROOT = Path(__file__).resolve().parent.parent
CONFORME = ROOT / "fixtures/conforme"
Name = Callable[[str], str]


def packed(
    name: Name = str, source: Path = CONFORME, without: tuple[str, ...] = ("quitus.yaml",), utf8: bool = True
) -> bytes:
    """A folder as a zip, each path named by `name`; `utf8` False: the archive does not say that names are UTF-8."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as content:
        for path in sorted(source.rglob("*")):
            relative = path.relative_to(source).as_posix()
            if path.is_file() and relative not in without:
                content.writestr(name(relative), path.read_bytes())
    data = out.getvalue()
    return data if utf8 else unmarked(data)


def unmarked(data: bytes) -> bytes:
    """The same bytes, the flag of UTF-8 down on every entry."""
    changed = bytearray(data)
    for magic, offset in ((b"PK\x03\x04", 7), (b"PK\x01\x02", 9)):
        at = data.find(magic)
        while at >= 0:
            changed[at + offset] &= ~8
            at = data.find(magic, at + 4)
    return bytes(changed)


def accented(tmp_path: Path, char: str = "é") -> Path:
    """The compliant dossier, one of its pieces under an accented name."""
    folder = Path(shutil.copytree(CONFORME, tmp_path / "source"))
    path = folder / "dossier.yaml"
    path.write_text(path.read_text("utf-8").replace("fichier: titre.pdf", f'fichier: "titre-{char}.pdf"'), "utf-8")
    (folder / "titre.pdf").rename(folder / f"titre-{char}.pdf")
    return folder


def checked(path: Path, **options: Any) -> Any:
    (path.parent / "quitus.yaml").write_bytes((CONFORME / "quitus.yaml").read_bytes())
    return pipeline.check(pipeline.Options((path,), **options))


CASES: dict[str, Callable[[Path], bytes]] = {
    "plain": lambda _: packed(),
    "one folder down": lambda _: packed(lambda name: f"reçu le 6 mars/{name}"),
    "windows separators": lambda _: packed(lambda name: name.replace("/", "\\")),
    "dot": lambda _: packed(lambda name: f"./{name}"),
    "utf-8, said": lambda folder: packed(source=accented(folder)),
    "utf-8, not said": lambda folder: packed(source=accented(folder), utf8=False),
    "decomposed": lambda folder: packed(lambda name: name.replace("é", "e\u0301"), source=accented(folder)),
}


@pytest.mark.parametrize("name", CASES)
def test_a_zip_is_its_folder(name: str, tmp_path: Path) -> None:
    """Same decision and files as the folder that was packed; the path shown is the zip's."""
    path = tmp_path / "reçu.zip"
    path.write_bytes(CASES[name](tmp_path / "work"))
    found = checked(path)
    (verdict,) = found.dossiers
    assert found.exit_code() == 0
    assert verdict.decision == "conforme"
    assert verdict.path == path.as_posix()
    expected = pipeline.check(pipeline.Options((CONFORME,)))
    assert len(verdict.files) == len(expected.dossiers[0].files)
    digest = hashlib.sha256((CONFORME / "titre.pdf").read_bytes()).hexdigest()
    assert digest in {file.sha256 for file in verdict.files}


def test_cp437_names(tmp_path: Path) -> None:
    """A byte that is no UTF-8 is read as the DOS of old did: 0x82 is « é »."""
    data = packed(lambda name: name.replace("é", "@"), source=accented(tmp_path / "work"))
    path = tmp_path / "a.zip"
    path.write_bytes(data.replace(b"titre-@.pdf", b"titre-\x82.pdf"))
    assert checked(path).decision == "conforme"


def test_zips_of_a_tree(tmp_path: Path) -> None:
    """Zips beside folders; several dossiers in one; those without one are no dossier, a piece of a dossier neither."""
    depot = tmp_path / "depot"
    folder = Path(shutil.copytree(CONFORME, depot / "a"))
    (folder / "pieces/dedans.zip").write_bytes(packed())
    (depot / "b.zip").write_bytes(packed())
    both = io.BytesIO()
    with zipfile.ZipFile(both, "w") as content:
        for name in ("un/dossier.yaml", "deux/dossier.yaml", "trop/bas/dossier.yaml"):
            content.writestr(name, "x: 1")
    (depot / "c.ZIP").write_bytes(both.getvalue())
    (depot / "d.zip").write_bytes(packed(without=("dossier.yaml",)))
    (depot / "e.zip").write_bytes(b"PK\x03\x04")
    found = dossiers.find([depot])
    shown = [item.shown.removeprefix(depot.as_posix() + "/") for item in found]
    assert shown == ["a", "b.zip", "c.ZIP/deux", "c.ZIP/un", "e.zip"]
    assert [bool(item.faults) for item in found] == [False, False, False, False, True]
    assert [item.inside for item in found] == ["", "", "deux", "un", ""]
    assert dossiers.find([depot / "b.zip", depot])[0] == found[0]


def test_settings_are_never_read_in_a_zip(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(packed(without=()))
    found = pipeline.check(pipeline.Options((path,)))
    assert found.settings is None
    assert found.exit_code() != 0
    found = checked(path)
    assert found.settings is not None
    assert found.settings["path"] == (tmp_path / "quitus.yaml").as_posix()
    assert found.exit_code() == 0


def test_limits_of_the_settings(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(packed())
    (tmp_path / "quitus.yaml").write_text("limites: {fichiers_par_zip: 3}\n", "utf-8")
    found = pipeline.check(pipeline.Options((path,)))
    (finding,) = found.dossiers[0].results[0].findings
    assert finding.message == "zip refusé : plus de 3 fichiers. Refaire l'archive, ou déposer le répertoire."
    assert finding.locations[0].file == "a.zip"
    assert found.exit_code() == 2


@pytest.mark.parametrize("kind", ["zip", "folder"])
def test_a_manifest_beside(kind: str, tmp_path: Path, quitus: Quitus) -> None:
    """`--dossier FILE`: paths relative to the root of the zip, the manifest in the files of the report."""
    (tmp_path / "quitus.yaml").write_bytes((CONFORME / "quitus.yaml").read_bytes())
    manifest = tmp_path / "propose.yaml"
    manifest.write_bytes((CONFORME / "dossier.yaml").read_bytes())
    if kind == "zip":
        path = tmp_path / "a.zip"
        path.write_bytes(packed(without=("dossier.yaml", "quitus.yaml")))
    else:
        path = Path(shutil.copytree(CONFORME, tmp_path / "a"))
        (path / "dossier.yaml").unlink()
        (path / "quitus.yaml").unlink()
    done = quitus("check", path, "--dossier", manifest, "--format", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    (dossier,) = json.loads(done.stdout)["dossiers"]
    assert dossier["path"] == path.as_posix()
    digest = hashlib.sha256(manifest.read_bytes()).hexdigest()
    assert {"path": "propose.yaml", "sha256": digest, "size": manifest.stat().st_size} in dossier["files"]
    for target in (manifest, *([path] if kind == "zip" else [])):  # a report replaces neither
        before = target.read_bytes()
        assert quitus("check", path, "--dossier", manifest, "--output", target).returncode == 64
        assert target.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "data", "written", "error"),
    [
        ("a.zip", packed(without=("dossier.yaml",)), None, NothingToCheck),
        ("a.pdf", b"%PDF-1.7", None, UsageError),
        ("a.pdf", b"%PDF-1.7", b"x: 1", UsageError),
        ("absent", None, None, UsageError),
    ],
)
def test_no_dossier(name: str, data: bytes | None, written: bytes | None, error: type, tmp_path: Path) -> None:
    if data is not None:
        (tmp_path / name).write_bytes(data)
    if written is not None:
        (tmp_path / "d.yaml").write_bytes(written)
    with pytest.raises(error):
        dossiers.find([tmp_path / name], tmp_path / "d.yaml" if written else None)


def test_a_zip_without_its_suffix(tmp_path: Path) -> None:
    (tmp_path / "envoi").write_bytes(packed())
    assert checked(tmp_path / "envoi").decision == "conforme"


def test_opened_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(packed())
    with dossiers.opened(path) as folder:
        assert (folder / "titre.pdf").read_bytes() == (CONFORME / "titre.pdf").read_bytes()
        assert folder.stat().st_mode & 0o077 == 0
    assert not folder.exists()
    with dossiers.opened(tmp_path) as same:
        assert same == tmp_path
    path.write_bytes(b"PK")
    with pytest.raises(UsageError, match="zip refusé"), dossiers.opened(path):
        pass
    with dossiers.unpacked(Dossier(tmp_path, "a.zip", archive=path), Limits()) as refused:
        assert refused.faults


def test_limits_count_what_is_written(tmp_path: Path) -> None:
    """Bounds hold at their edge: one byte more is refused."""
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as content:
        content.writestr("a", bytes(2**20))
    zips.unpack(path, tmp_path / "in", Limits(zip_megabytes=1, zip_files=1))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as content:
        content.writestr("a", bytes(2**20 + 1))
    with pytest.raises(zips.Refused, match="plus de 1 Mo"):
        zips.unpack(path, tmp_path / "out", Limits(zip_megabytes=1))
    assert not (tmp_path / "out").exists()
