"""Pieces: what the program reads of a file. One test, the cases are files made here."""

from __future__ import annotations

import hashlib
import importlib
import io
import os
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest
from PIL import Image
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen import canvas

from checker.base import dictionary
from checker.facts import pieces
from checker.model import Row

ROOT = Path(__file__).resolve().parent.parent


def pdf(pages: int = 1, text: str = "Facture n° 12, reçue à Caen") -> bytes:
    out = io.BytesIO()
    page = canvas.Canvas(out, invariant=1)
    for _ in range(pages):
        if text:
            page.drawString(72, 720, text)
        page.showPage()
    page.save()
    return out.getvalue()


def scan() -> bytes:
    out = io.BytesIO()
    page = canvas.Canvas(out, invariant=1)
    page.drawImage(ImageReader(Image.new("L", (60, 80), 200)), 0, 0, 595, 842)
    page.save()
    return out.getvalue()


def rewritten(change: Callable[[pikepdf.Pdf], None], source: bytes = b"", **save: object) -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(source or pdf())) as document:
        change(document)
        document.save(out, **save)  # type: ignore[arg-type]
    return out.getvalue()


def script(document: pikepdf.Pdf) -> None:
    action = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert(1)")
    document.Root.OpenAction = document.make_indirect(action)


def launch(document: pikepdf.Pdf) -> None:
    document.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.Launch, F="calc.exe")


def attach(name: str) -> Callable[[pikepdf.Pdf], None]:
    def change(document: pikepdf.Pdf) -> None:
        document.attachments[name] = b"<a/>"

    return change


def unchanged(_: pikepdf.Pdf) -> None:
    return


def locked(user: str, **save: object) -> bytes:
    return rewritten(unchanged, encryption=pikepdf.Encryption(owner="secret", user=user), **save)


def archive(**parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return out.getvalue()


def ooxml(main: str, content: bytes = b"<w:t>Bonjour</w:t>", **more: bytes) -> bytes:
    return archive(**{"[Content_Types].xml": b"<Types/>", main: content}, **more)


def ods(manifest: bytes = b"<manifest/>") -> bytes:
    mime = b"application/vnd.oasis.opendocument.spreadsheet"
    return archive(**{"mimetype": mime, "content.xml": b"<a/>", "META-INF/manifest.xml": manifest})


def ole(*streams: str, locked: bool = False) -> bytes:
    header = bytearray(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".ljust(512, b"\0"))
    header[30:32] = struct.pack("<H", 9)
    header[44:52] = struct.pack("<II", 1, 1)
    directory = b"".join(name.encode("utf-16-le").ljust(128, b"\0") for name in streams).ljust(512, b"\0")
    book = b"\x09\x08\x10\x00\x00\x06" + bytes(14) + (b"\x2f\x00\x04\x00" + bytes(4) if locked else b"")
    table = struct.pack("<3I", 0xFFFFFFFD, 0xFFFFFFFE, 0xFFFFFFFE).ljust(512, b"\xff")
    return bytes(header) + table + directory + book.ljust(512, b"\0")


def image(kind: str, pages: int = 1) -> bytes:
    out = io.BytesIO()
    more = {"save_all": True, "append_images": [Image.new("L", (8, 8))] * (pages - 1)} if pages > 1 else {}
    Image.new("L", (8, 8), 128).save(out, kind, **more)
    return out.getvalue()


FACTURX = (ROOT / "fixtures/conforme/pieces/facture-F-2018-118.pdf").read_bytes
TRUE = {"lisible": "true", "chiffre": "false", "type_fidele": "true", "actif": "false"}
PDF = TRUE | {"type": "pdf", "pages": "1", "texte": "true"}
# file, content, expected columns: a text is the value, « ! … » the beginning of the fault, None is absent
CASES: list[tuple[str, bytes, dict[str, str | None]]] = [
    ("a.pdf", pdf(), PDF),
    ("A.PDF", pdf(3), PDF | {"pages": "3"}),
    ("factur-x.pdf", FACTURX(), PDF),
    ("scan.pdf", scan(), PDF | {"texte": "false"}),
    ("blanc.pdf", pdf(text=""), PDF | {"texte": "false"}),
    ("vide.pdf", b"", {"existe": "true", "taille": "0", "lisible": "! fichier vide", "type": "! fichier vide"}),
    ("chiffre.pdf", locked("secret"), {"lisible": "! PDF chiffré", "chiffre": "true", "pages": "! PDF chiffré"}),
    ("droits.pdf", locked("", object_stream_mode=pikepdf.ObjectStreamMode.disable), PDF),
    (
        "droits-compacts.pdf",
        locked("", object_stream_mode=pikepdf.ObjectStreamMode.generate),
        PDF | {"actif": "! PDF dont une partie"},
    ),
    ("tronque.pdf", pdf()[:-200], {"lisible": "! PDF endommagé", "type": "pdf", "chiffre": "! PDF endommagé"}),
    ("queue.pdf", pdf(3)[:-8], {"lisible": "! PDF endommagé : fin", "pages": "! PDF endommagé"}),
    ("lineaire.pdf", rewritten(unchanged, linearize=True)[:-700], {"lisible": "! PDF endommagé"}),
    ("entete.pdf", b"\n\njunk\n" + pdf(), PDF),
    ("script.pdf", rewritten(script), PDF | {"actif": "true"}),
    (
        "script-compact.pdf",
        rewritten(script, object_stream_mode=pikepdf.ObjectStreamMode.generate),
        PDF | {"actif": "true"},
    ),
    ("lancement.pdf", rewritten(launch), PDF | {"actif": "true"}),
    ("masque.pdf", pdf().replace(b"/Type /Catalog", b"/Type /Catalog /A << /S /J#61vaScript >>"), {"actif": "true"}),
    ("joint.pdf", rewritten(attach("facture.xml")), PDF),
    ("virus.pdf", rewritten(attach("facture.pdf.exe ")), PDF | {"actif": "true"}),
    ("faux.pdf", image("PNG"), {"lisible": "true", "type": "png", "type_fidele": "false"}),
    ("faux.xlsx", pdf(), {"lisible": "true", "type": "pdf", "type_fidele": "false"}),
    ("sans-suffixe", pdf(), PDF | {"type_fidele": "! le nom du fichier"}),
    ("inconnu.pdf", bytes(range(256)), {"lisible": "! type de fichier", "type": "inconnu", "type_fidele": "false"}),
    ("a.xlsx", ooxml("xl/workbook.xml"), TRUE | {"type": "xlsx", "texte": "true", "pages": None}),
    ("a.xlsm", ooxml("xl/workbook.xml", **{"xl/vbaProject.bin": b"x"}), TRUE | {"type": "xlsx", "actif": "true"}),
    ("a.docx", ooxml("word/document.xml"), TRUE | {"type": "docx", "texte": "true"}),
    ("image.docx", ooxml("word/document.xml", b"<w:p/>"), TRUE | {"type": "docx", "texte": "false"}),
    ("sans-types.xlsx", archive(**{"xl/workbook.xml": b"<a/>"}), {"lisible": "! document endommagé", "type": "xlsx"}),
    ("tronque.xlsx", ooxml("xl/workbook.xml")[:-30], {"lisible": "! archive endommagée", "type": "zip"}),
    ("a.ods", ods(), TRUE | {"type": "ods", "texte": "true"}),
    ("chiffre.ods", ods(b"<encryption-data/>"), {"lisible": "! document chiffré", "chiffre": "true", "type": "ods"}),
    ("a.zip", archive(**{"a.txt": b"x"}), TRUE | {"type": "zip", "texte": None}),
    ("virus.zip", archive(**{"a.exe": b"x"}), TRUE | {"type": "zip", "actif": "true"}),
    (
        "chiffre.zip",
        archive(a=b"x").replace(b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01"),
        {
            "lisible": "! archive chiffrée",
            "chiffre": "true",
        },
    ),
    ("a.xls", ole("Root Entry", "Workbook"), TRUE | {"type": "xls", "texte": "true"}),
    ("a.doc", ole("WordDocument"), TRUE | {"type": "doc"}),
    ("chiffre.xls", ole("Workbook", locked=True), {"lisible": "! document chiffré", "chiffre": "true", "type": "xls"}),
    (
        "chiffre.xlsx",
        ole("EncryptedPackage"),
        {"lisible": "! document chiffré", "chiffre": "true", "type": "! contenu"},
    ),
    ("tronque.xls", ole("Workbook")[:1536], {"lisible": "! document endommagé", "type": "xls"}),
    ("autre.msg", ole("__substg1.0"), {"lisible": "! document OLE", "type": "inconnu"}),
    ("a.xml", "<?xml version='1.0'?><a><b>é</b></a>".encode(), TRUE | {"type": "xml", "texte": "true"}),
    ("utf16.xml", "<?xml version='1.0' encoding='utf-16'?><a>é</a>".encode("utf-16"), TRUE | {"type": "xml"}),
    ("cp1252.xml", "<?xml version='1.0' encoding='windows-1252'?><a>é</a>".encode("cp1252"), TRUE | {"type": "xml"}),
    ("nu.xml", b"<a/>", TRUE | {"type": "xml", "texte": "false"}),
    ("bombe.xml", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", {"lisible": "! XML refusé", "type": "xml"}),
    ("tronque.xml", b"<a><b></b>", {"lisible": "! XML endommagé", "type": "xml", "texte": "! XML endommagé"}),
    ("a.csv", b"a;b\n1;2\n", TRUE | {"type": "texte", "texte": "true"}),
    ("cp1252.csv", "objet;état\n".encode("cp1252"), TRUE | {"type": "texte"}),
    ("blanc.txt", b"\n \n", TRUE | {"type": "texte", "texte": "false"}),
    ("page.xls", b"<html><table></table></html>", {"lisible": "true", "type": "texte", "type_fidele": "false"}),
    ("binaire.csv", b"a;b\n" * 3000 + b"\0", {"lisible": "! texte endommagé", "type": "texte"}),
    ("a.png", image("PNG"), TRUE | {"type": "png", "texte": "false", "pages": "1"}),
    ("a.JPG", image("JPEG"), TRUE | {"type": "jpeg", "texte": "false", "pages": "1"}),
    ("a.tif", image("TIFF", 3), TRUE | {"type": "tiff", "texte": "false", "pages": "3"}),
    ("tronque.png", image("PNG")[:-12], {"lisible": "! image PNG endommagée", "type": "png"}),
    ("tronque.jpg", image("JPEG")[:-2], {"lisible": "! image JPEG endommagée", "type": "jpeg"}),
    ("tronque.tif", b"II*\x00\xff\x00\x00\x00", {"lisible": "! image TIFF endommagée", "type": "tiff"}),
]


def check(row: Row, expected: dict[str, str | None]) -> None:
    assert tuple(row) == pieces.COLUMNS
    for column, wanted in expected.items():
        value = row[f"lu.{column}"]
        if wanted is not None and wanted.startswith("! "):
            assert value.raw is None, (column, value)
            assert (value.fault or "").startswith(wanted[2:]), (column, value)
        else:
            assert value.raw == wanted, (column, value)
            assert wanted is None or value.fault is None


@pytest.mark.parametrize(("name", "data", "expected"), CASES, ids=[case[0] for case in CASES])
def test_piece(tmp_path: Path, name: str, data: bytes, expected: dict[str, str | None]) -> None:
    (tmp_path / name).write_bytes(data)
    row, digest = pieces.inspect(tmp_path, name)
    check(row, {"existe": "true", "taille": str(len(data))} | expected)
    assert digest == (name, hashlib.sha256(data).hexdigest(), len(data))
    assert row["lu.sha256"].raw == digest.sha256
    assert all(value.place.file == name for value in row.values())


@pytest.mark.parametrize("cut", range(0, 100, 7))
@pytest.mark.parametrize("name", ["a.pdf", "factur-x.pdf", "a.xlsx", "a.ods", "a.tif", "a.JPG", "utf16.xml"])
def test_cut_anywhere_never_raises_nor_opens(tmp_path: Path, name: str, cut: int) -> None:
    data = next(content for case, content, _ in CASES if case == name)
    (tmp_path / name).write_bytes(data[: len(data) * cut // 100])
    row, _ = pieces.inspect(tmp_path, name)
    assert (row["lu.lisible"].raw is None and row["lu.lisible"].fault) or row["lu.type_fidele"].raw == "false"


def _nothing(_: Path) -> None:
    return


def _folder(folder: Path) -> None:
    (folder / "x.pdf").mkdir()


def _escape(folder: Path) -> None:
    (folder.parent / "dehors.pdf").write_bytes(pdf())
    (folder / "x.pdf").symlink_to(folder.parent / "dehors.pdf")


def _escape_above(folder: Path) -> None:
    (folder.parent / "ailleurs").mkdir()
    (folder.parent / "ailleurs/x.pdf").write_bytes(pdf())
    (folder / "pieces").symlink_to(folder.parent / "ailleurs")


def _loop(folder: Path) -> None:
    (folder / "x.pdf").symlink_to("x.pdf")


def _fifo(folder: Path) -> None:
    os.mkfifo(folder / "x.pdf")


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (_nothing, "x.pdf"),
        (_nothing, "x.pdf/y.pdf"),
        (_nothing, ""),
        (_nothing, "a\0b"),
        (_nothing, "a" * 5000),
        (_nothing, "/etc/hostname"),
        (_nothing, "../../../../../../../etc/hostname"),
        (_folder, "x.pdf"),
        (_escape, "x.pdf"),
        (_escape_above, "pieces/x.pdf"),
        (_loop, "x.pdf"),
        (_fifo, "x.pdf"),
    ],
)
def test_missing(tmp_path: Path, make: Callable[[Path], None], name: str) -> None:
    folder = tmp_path / "dossier"
    folder.mkdir()
    make(folder)
    row, digest = pieces.inspect(folder, name)
    assert digest is None
    check(row, {"existe": "false"} | {column[3:]: None for column in pieces.COLUMNS[1:]})
    assert all(value.fault is None for value in row.values())


def test_link_inside_is_followed(tmp_path: Path) -> None:
    (tmp_path / "vraie.pdf").write_bytes(pdf())
    (tmp_path / "lien.pdf").symlink_to("vraie.pdf")
    row, digest = pieces.inspect(tmp_path, "lien.pdf")
    check(row, PDF)
    assert digest is not None
    assert digest.path == "lien.pdf"


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "a.pdf").write_bytes(pdf())
    monkeypatch.setattr(os, "open", refuse)
    row, digest = pieces.inspect(tmp_path, "a.pdf")
    assert digest is None
    check(row, {"existe": "true", "lisible": "! lecture impossible : droits", "sha256": "! lecture impossible"})
    monkeypatch.setattr(os, "lstat", refuse)
    check(pieces.inspect(tmp_path, "a.pdf")[0], {"existe": "! lecture impossible : droits insuffisants"})


def test_too_big_is_hashed_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = pdf(text="x" * 100) + b"\n" * 3_000_000
    (tmp_path / "a.pdf").write_bytes(data)
    monkeypatch.setattr(pieces, "LIMIT", 2**20)
    row, digest = pieces.inspect(tmp_path, "a.pdf")
    check(row, {"lisible": "! fichier trop gros", "type": "! fichier trop gros"})
    assert digest is not None
    assert digest.sha256 == hashlib.sha256(data).hexdigest() == row["lu.sha256"].raw


@pytest.mark.parametrize("change", [b"", b"plus long"])
def test_changed_while_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: bytes) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(pdf())
    read = os.read

    def meanwhile(descriptor: int, size: int) -> bytes:
        data = read(descriptor, size)
        if data:
            path.write_bytes(pdf() + change)
            os.utime(path, ns=(1, 1))
        return data

    monkeypatch.setattr(os, "read", meanwhile)
    row, digest = pieces.inspect(tmp_path, "a.pdf")
    assert digest is None
    check(row, {"lisible": "! le fichier a changé", "sha256": "! le fichier a changé"})


def test_a_plug_that_crashes_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> Row:
        raise ZeroDivisionError

    (tmp_path / "a.pdf").write_bytes(pdf())
    monkeypatch.setattr(importlib.import_module("checker.facts.readers.pdf"), "look", crash)
    check(pieces.inspect(tmp_path, "a.pdf")[0], {"lisible": "! fichier illisible : ZeroDivisionError"})


def test_without_its_library_a_pdf_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent() -> None:
        raise ModuleNotFoundError("pypdfium2")

    (tmp_path / "a.pdf").write_bytes(pdf())
    monkeypatch.setattr(importlib.import_module("checker.facts.readers.pdf"), "_pdfium", absent)
    expected = {"lisible": "! le lecteur de PDF manque", "type": "pdf", "type_fidele": "true", "pages": "! le lecteur"}
    check(pieces.inspect(tmp_path, "a.pdf")[0], expected)


def test_many_pages_of_scan_are_bounded(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(pdf(300, text=""))
    check(pieces.inspect(tmp_path, "a.pdf")[0], PDF | {"pages": "300", "texte": "false"})


def test_columns_are_those_of_the_dictionary() -> None:
    fields = dictionary.load().tables["pieces"].fields
    assert tuple(name for name in fields if name.startswith("lu.")) == pieces.COLUMNS


def test_only_the_needed_plug_is_imported(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"a;b\n")
    code = (
        "import sys; from pathlib import Path; from checker.facts.pieces import inspect;"
        f"inspect(Path({str(tmp_path)!r}), 'a.csv');"
        "print(*(name for name in sys.modules if 'pdfium' in name or 'lxml' in name or 'readers.' in name))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["checker.facts.readers.text"]


def test_fixtures_are_made_twice_alike(tmp_path: Path) -> None:
    for name in ("un", "deux"):
        subprocess.run([sys.executable, ROOT / "fixtures/make.py", tmp_path / name], cwd=ROOT, check=True)
    first, second = (
        {path.relative_to(tmp_path / name): path.read_bytes() for path in sorted((tmp_path / name).rglob("*.*"))}
        for name in ("un", "deux")
    )
    assert first == second
    assert set(first) == {
        path.relative_to(ROOT / "fixtures")
        for part in ("conforme", "fautif")
        for path in (ROOT / "fixtures" / part).rglob("*.*")
    }
    assert sum(map(len, first.values())) < 2**20
