"""The hostile corpus, made when asked: dossiers whose files attack the program that reads them.

A case lays its files in a copy of the compliant dossier (or beside it), and says what the report must then say.
"""

from __future__ import annotations

import io
import os
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pikepdf
import xlwt
from reportlab.pdfgen import canvas

ROOT = Path(__file__).resolve().parent.parent
PIECE = "pieces/pv-1.pdf"  # the piece that a case replaces
LINES = "etat-liquidatif.xlsx"  # the spreadsheet that a case replaces
REFUSED = ("indetermine", "non_conforme")


class Case(NamedTuple):
    """`make(folder)`: the files laid, the path to check. `says`: texts of the report. Bounds: wall seconds, MB."""

    name: str
    make: Callable[[Path], Path]
    says: tuple[str, ...]
    decisions: tuple[str, ...] = REFUSED
    seconds: float = 30
    megabytes: int = 800


def copy(folder: Path) -> Path:
    """A copy of the compliant dossier."""
    return Path(shutil.copytree(ROOT / "fixtures/conforme", folder / "dossier"))


def rename(dossier: Path, old: str, new: str) -> None:
    """The manifest names a file otherwise."""
    path = dossier / "dossier.yaml"
    text = path.read_text("utf-8")
    assert old in text
    quoted = '"' + "".join(_escaped(char) for char in new) + '"'
    path.write_text(text.replace(old, quoted), "utf-8")
    (dossier / old).unlink()


def _escaped(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) < 32 or char in '"\\' or 0x2000 <= ord(char) < 0x2070 else char


Data = bytes | Callable[[], bytes]  # a big content is made when its case runs
Make = Callable[[Path], Path]


def _bytes(data: Data) -> bytes:
    return data if isinstance(data, bytes) else data()


def piece(name: str, data: Data) -> Make:
    """The compliant dossier, one of its pieces replaced."""

    def make(folder: Path) -> Path:
        dossier = copy(folder)
        rename(dossier, PIECE, name)
        (dossier / name).parent.mkdir(parents=True, exist_ok=True)
        (dossier / name).write_bytes(_bytes(data))
        return dossier

    return make


def lines(name: str, data: Data) -> Make:
    """The compliant dossier, its spreadsheet of lines replaced."""

    def make(folder: Path) -> Path:
        dossier = copy(folder)
        rename(dossier, LINES, name)
        (dossier / name).write_bytes(_bytes(data))
        return dossier

    return make


def manifest(change: Callable[[str], str]) -> Make:
    """The compliant dossier under another manifest."""

    def make(folder: Path) -> Path:
        dossier = copy(folder)
        path = dossier / "dossier.yaml"
        path.write_text(change(path.read_text("utf-8")), "utf-8")
        return dossier

    return make


def archive(
    fill: Callable[[zipfile.ZipFile], None], change: Callable[[bytes], bytes] = bytes
) -> Callable[[Path], Path]:
    """The compliant dossier as a zip, with something more in it."""

    def make(folder: Path) -> Path:
        dossier = copy(folder)
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as content:
            for path in sorted(dossier.rglob("*")):
                if path.is_file() and path.name != "quitus.yaml":
                    content.write(path, path.relative_to(dossier).as_posix())
            fill(content)
        (folder / "quitus.yaml").write_bytes((dossier / "quitus.yaml").read_bytes())
        shutil.rmtree(dossier)
        (folder / "dossier.zip").write_bytes(change(out.getvalue()))
        return folder / "dossier.zip"

    return make


# Contents


def pdf(change: Callable[[pikepdf.Pdf], None] | None = None, **save: object) -> bytes:
    out = io.BytesIO()
    page = canvas.Canvas(out, invariant=1)
    page.drawString(72, 720, "Procès-verbal de service fait")
    page.save()
    if change is None:
        return out.getvalue()
    written = io.BytesIO()
    with pikepdf.open(io.BytesIO(out.getvalue())) as document:
        change(document)
        document.save(written, **save)  # type: ignore[arg-type]
    return written.getvalue()


def _script(document: pikepdf.Pdf) -> None:
    document.Root.OpenAction = document.make_indirect(pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert(1)"))


def _loop(document: pikepdf.Pdf) -> None:
    document.Root.Pages.Kids = pikepdf.Array([document.Root.Pages])
    document.Root.Pages.Count = 2**31 - 1


def _unchanged(_: pikepdf.Pdf) -> None:
    return


def laughs(name: str = "a") -> bytes:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    return f'<?xml version="1.0"?><!DOCTYPE {name} [<!ENTITY e0 "ha">{entities}]><{name}>&e11;</{name}>'.encode()


def bomb(name: str, megabytes: int, **parts: bytes) -> bytes:
    """A zip of which one part is megabytes of zeros."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as content:
        for part, data in parts.items():
            content.writestr(part.replace("__", "/"), data)
        with content.open(name, "w", force_zip64=True) as stream:
            for _ in range(megabytes):
                stream.write(bytes(2**20))
    return out.getvalue()


_TYPES = b'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
_BOOK = b"""<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"
 xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">
 <sheets><sheet name="Feuil1" sheetId="1" r:id="r1"/></sheets></workbook>"""
_RELATIONS = b"""<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship
 Id="r1" Target="worksheets/sheet1.xml"
 Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"/>
</Relationships>"""


def xlsx(rows: Iterator[bytes] | bytes, prolog: bytes = b"") -> bytes:
    """A workbook of one sheet, its rows as XML."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as content:
        content.writestr("[Content_Types].xml", _TYPES)
        content.writestr("xl/workbook.xml", _BOOK)
        content.writestr("xl/_rels/workbook.xml.rels", _RELATIONS)
        with content.open("xl/worksheets/sheet1.xml", "w") as stream:
            stream.write(prolog)
            stream.write(b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>')
            for part in [rows] if isinstance(rows, bytes) else rows:
                stream.write(part)
            stream.write(b"</sheetData></worksheet>")
    return out.getvalue()


def empty_rows(count: int) -> Iterator[bytes]:
    for start in range(1, count, 10_000):
        yield b"".join(b'<row r="%d"><c r="A%d" s="1"/></row>' % (row, row) for row in range(start, start + 10_000))


def filled_rows(count: int) -> Iterator[bytes]:
    for start in range(1, count, 10_000):
        yield b"".join(
            b'<row r="%d"><c r="A%d"><v>1</v></c></row>' % (row, row) for row in range(start, start + 10_000)
        )


_CORNER = (
    b'<row r="1"><c r="A1" t="inlineStr"><is><t>ligne</t></is></c></row>'
    b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
)


def ods(times: int) -> bytes:
    out = io.BytesIO()
    names = " ".join(
        f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{short}:1.0"' for short in ("office", "table", "text")
    )
    cell = '<table:table-cell office:value-type="float" office:value="1" table:number-columns-repeated="16384"/>'
    text = (
        f"<office:document-content {names}><office:body><office:spreadsheet><table:table table:name='a'>"
        f"<table:table-row table:number-rows-repeated='{times}'>{cell}</table:table-row>"
        "</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as content:
        content.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet", zipfile.ZIP_STORED)
        content.writestr("content.xml", text)
    return out.getvalue()


def xls() -> bytes:
    """Two cells, one in each corner: the reader unrolls all those between."""
    book = xlwt.Workbook()
    sheet = book.add_sheet("a")
    sheet.write(0, 0, 1)
    sheet.write(65535, 255, 2)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _sparse(folder: Path) -> Path:
    dossier = copy(folder)
    with (dossier / PIECE).open("wb") as stream:
        stream.write(b"%PDF-1.7\n")
        stream.truncate(500 * 2**20)
    return dossier


def _link(target: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        dossier = copy(folder)
        (dossier / PIECE).unlink()
        (dossier / PIECE).symlink_to(target)
        return dossier

    return make


def _fifo(folder: Path) -> Path:
    dossier = copy(folder)
    (dossier / PIECE).unlink()
    os.mkfifo(dossier / PIECE)
    return dossier


def _named(name: str) -> Callable[[Path], Path]:
    return piece(name, pdf()[:-200])


# Archives


def entry(name: str, data: bytes = b"x", mode: int = 0, flags: int = 0) -> Callable[[zipfile.ZipFile], None]:
    def fill(content: zipfile.ZipFile) -> None:
        info = zipfile.ZipInfo(name)
        info.external_attr = mode << 16
        info.flag_bits = flags
        content.writestr(info, data, zipfile.ZIP_DEFLATED)

    return fill


def _many(content: zipfile.ZipFile) -> None:
    for number in range(2100):
        content.writestr(f"x/{number}", b"")


def _zeros(content: zipfile.ZipFile) -> None:
    with content.open("zeros", "w") as stream:
        for _ in range(600):
            stream.write(bytes(2**20))


def _repeated(content: zipfile.ZipFile) -> None:
    content.writestr("zeros", bytes(50 * 2**20))


def _twice(data: bytes) -> bytes:
    return data.replace(b"pieces/pv-2.pdf", b"pieces/pv-1.pdf")


def _encrypted(data: bytes) -> bytes:
    """Every entry says that it is encrypted."""
    changed = bytearray(data)
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(magic)
        while at >= 0:
            changed[at + offset] |= 1
            at = data.find(magic, at + 4)
    return bytes(changed)


def _liar(data: bytes) -> bytes:
    """An entry that announces a byte and unpacks to fifty million."""
    changed = bytearray(data)
    directory = data.rfind(b"PK\x01\x02")
    header = struct.unpack_from("<I", data, directory + 42)[0]
    struct.pack_into("<I", changed, directory + 24, 1)
    struct.pack_into("<I", changed, header + 22, 1)
    struct.pack_into("<I", changed, directory + 16, zlib.crc32(b"\0"))
    struct.pack_into("<I", changed, header + 14, zlib.crc32(b"\0"))
    return bytes(changed)


def _contents(data: bytes) -> bytes:
    """A table of contents that announces three gigabytes."""
    changed = bytearray(data)
    struct.pack_into("<I", changed, data.rfind(b"PK\x05\x06") + 12, 3 * 2**30)
    return bytes(changed)


def _with_key(key: str) -> Callable[[str], str]:
    return lambda text: text + key


_ALIASES = "\nx0: &x0 [a, a]\n" + "".join(f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 9)}]\n" for n in range(1, 30))
_DOT = "\u202e"  # right-to-left override

CASES = (
    Case("xml-entites", piece("pieces/pv-1.xml", laughs()), ("il déclare un DOCTYPE",)),
    Case(
        "xml-externe",
        piece("pieces/pv-1.xml", b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>'),
        ("il déclare un DOCTYPE",),
    ),
    Case("xml-profond", piece("pieces/pv-1.xml", lambda: b"<a>" * 3_000_000), ("XML endommagé",)),
    Case("piece-zip-bombe", piece("pieces/pv-1.pdf.zip", lambda: bomb("a.pdf", 1500)), ()),
    Case("piece-docx-bombe", piece("pieces/pv-1.docx", lambda: bomb("word/document.xml", 1500)), ()),
    Case("piece-creuse-500-mo", _sparse, ("fichier trop gros",)),
    Case("xlsx-xfd1048576", lines("lignes.xlsx", xlsx(_CORNER)), ("aucune ligne d'en-tête",)),
    Case(
        "xlsx-million-de-lignes-vides",
        lines("lignes.xlsx", lambda: xlsx(empty_rows(1_000_000))),
        ("aucune ligne d'en-tête",),
    ),
    Case("xlsx-million-de-lignes", lines("lignes.xlsx", lambda: xlsx(filled_rows(1_000_000))), ("dépasse",)),
    Case(
        "xlsx-bombe", lines("lignes.xlsx", lambda: bomb("xl/workbook.xml", 1500)), ("Le contenu décompressé dépasse",)
    ),
    Case(
        "xlsx-entites",
        lines("lignes.xlsx", xlsx(b"<row/>", laughs("worksheet").partition(b"]>")[0] + b"]>")),
        ("DOCTYPE",),
    ),
    Case("ods-repetitions", lines("lignes.ods", lambda: ods(2**31)), ("La feuille dépasse",)),
    Case("xls-coins", lines("lignes.xls", xls), ("le lecteur", "lignes.xls")),
    Case("xls-abime", lines("lignes.xls", xls()[:3000]), ("lignes.xls",)),
    Case(
        "csv-une-ligne",
        lines("lignes.csv", lambda: b"a;" * 20_000_000),
        ("lignes.csv : le lecteur a dépassé",),
        megabytes=1500,
    ),
    Case("csv-guillemets", lines("lignes.csv", lambda: b'"' * 10_000_001), ("lignes.csv",)),
    Case("yaml-alias", manifest(_with_key(_ALIASES)), ("les ancres et alias de YAML sont refusés",)),
    Case("yaml-profond", manifest(lambda _: "a: " + "[" * 1_000_000), ("maximum nesting depth",)),
    Case("yaml-100-mo", manifest(lambda _: "a: " + "x" * 100_000_000), ("fichier de plus de 20 Mo",)),
    Case(
        "yaml-cles",
        manifest(lambda _: "".join(f"k{n}: 1\n" for n in range(1_200_000))),
        ("clé inconnue",),
        megabytes=2000,
    ),
    Case("yaml-doubles", manifest(lambda _: "a: 1\n" * 1_000_000), ("clé en double",), megabytes=1500),
    Case("pdf-javascript", piece("pieces/pv-1.pdf", pdf(_script)), ("CP-PIECE",), ("conforme_avec_reserves",)),
    Case(
        "pdf-chiffre",
        piece("pieces/pv-1.pdf", pdf(_unchanged, encryption=pikepdf.Encryption(user="u", owner="o"))),
        ("PDF chiffré",),
    ),
    Case("pdf-tronque", piece("pieces/pv-1.pdf", pdf()[:-200]), ("PDF endommagé",)),
    Case("pdf-boucle", piece("pieces/pv-1.pdf", pdf(_loop)), ("pv-1.pdf",)),
    Case("pdf-vide", piece("pieces/pv-1.pdf", lambda: b"%PDF-1.7\n" + bytes(10_000_000)), ("PDF endommagé",)),
    Case("lien-dehors", _link("/etc/hostname"), ("n'est pas dans le dossier",)),
    Case("lien-boucle", _link("pv-1.pdf"), ("n'est pas dans le dossier",)),
    Case("tube", _fifo, ("n'est pas dans le dossier",)),
    Case("chemin-dehors", manifest(lambda text: text.replace(PIECE, "../pv-1.pdf")), ("hors du répertoire",)),
    Case("nom-terminal", _named("pieces/pv\x1b[2J\x1b]0;x\x07\n1.pdf"), ("PDF endommagé",)),
    Case("nom-rtl", _named(f"pieces/pv{_DOT}fdp.exe.pdf"), ("PDF endommagé",)),
    Case("zip-remonte", archive(entry("../../dehors.txt")), ("sort de l'archive",)),
    Case("zip-remonte-windows", archive(entry("..\\..\\dehors.txt")), ("sort de l'archive",)),
    Case("zip-absolu", archive(entry("/quitus-dehors.txt")), ("chemin absolu",)),
    Case("zip-absolu-windows", archive(entry("C:/dehors.txt")), ("chemin absolu",)),
    Case("zip-lien", archive(entry("lien", b"/etc/passwd", stat.S_IFLNK | 0o777)), ("est un lien",)),
    Case("zip-tube", archive(entry("tube", b"", stat.S_IFIFO | 0o777)), ("fichier ordinaire",)),
    Case("zip-double", archive(entry("y"), _twice), ("deux fichiers portent le même nom",)),
    Case("zip-casse", archive(entry("Pieces/PV-1.pdf")), ("deux fichiers portent le même nom",)),
    Case("zip-controle", archive(entry("a\x1b[2J\nb")), ("caractère de contrôle",)),
    Case("zip-chiffre", archive(entry("y"), _encrypted), ("chiffré",)),
    Case("zip-nombreux", archive(_many), ("plus de 2000 fichiers",)),
    Case("zip-enorme", archive(_zeros), ("plus de 500 Mo",)),
    Case("zip-bombe", archive(_repeated), ("fois sa taille",)),
    Case("zip-menteur", archive(_repeated, _liar), ("zip refusé",)),
    Case("zip-table", archive(entry("y"), _contents), ("zip refusé",)),
    Case("zip-tronque", archive(entry("y"), lambda data: data[: len(data) // 2]), ("archive endommagée",)),
)
