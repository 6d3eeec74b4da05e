"""PDF: does it open, with how many pages, does it carry text, scripts or actions.

PDFium is called through ctypes directly: the bindings of pypdfium2 take 30 ms to import, the ten functions used here 2.
"""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import io
import re
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from checker.base.unreadable import Unreadable
from checker.model import Place, Row, Value

MEDIA: Final = ("pdf",)
PAGES_LOOKED: Final = 20
_TAIL: Final = 65536
_INFLATED: Final = 32 * 2**20
_ATTACHED: Final = 20 * 2**20  # bytes of an invoice's XML, inflated
_INVOICES: Final = frozenset(("factur-x.xml", "zugferd-invoice.xml", "xrechnung.xml"))  # Factur-X 1.0, ZUGFeRD 1 and 2
_PASSWORD: Final = 4  # FPDF_ERR_PASSWORD
_LOCK: Final = threading.Lock()  # PDFium knows one thread

_SIGNATURES: Final = {
    "FPDF_InitLibrary": (None, []),
    "FPDF_LoadMemDocument64": (ctypes.c_void_p, [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p]),
    "FPDF_GetLastError": (ctypes.c_ulong, []),
    "FPDF_CloseDocument": (None, [ctypes.c_void_p]),
    "FPDF_GetPageCount": (ctypes.c_int, [ctypes.c_void_p]),
    "FPDF_LoadPage": (ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_int]),
    "FPDF_ClosePage": (None, [ctypes.c_void_p]),
    "FPDFText_LoadPage": (ctypes.c_void_p, [ctypes.c_void_p]),
    "FPDFText_ClosePage": (None, [ctypes.c_void_p]),
    "FPDFText_CountChars": (ctypes.c_int, [ctypes.c_void_p]),
    "FPDFText_GetUnicode": (ctypes.c_uint, [ctypes.c_void_p, ctypes.c_int]),
    "FPDFDoc_GetJavaScriptActionCount": (ctypes.c_int, [ctypes.c_void_p]),
    "FPDFDoc_GetAttachmentCount": (ctypes.c_int, [ctypes.c_void_p]),
    "FPDFDoc_GetAttachment": (ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_int]),
    "FPDFAttachment_GetName": (ctypes.c_ulong, [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_ulong]),
}
_ACTIONS: Final = (b"/JavaScript", b"/Launch", b"/Rendition", b"/SubmitForm", b"/ImportData", b"/RichMedia")
_FORM: Final = re.compile(rb"/XFA[\s\[]")
_ESCAPED: Final = re.compile(rb"/[A-Za-z]*#[0-9A-Fa-f]{2}[A-Za-z0-9#]*")
_HEX: Final = re.compile(rb"#([0-9A-Fa-f]{2})")
_COMPRESSED: Final = re.compile(rb"/ObjStm\b(.{0,1024}?)stream\r?\n", re.DOTALL)
_LINEARIZED: Final = re.compile(rb"/Linearized\b.{0,200}?/L\s+(\d+)", re.DOTALL)
_EXECUTABLE: Final = re.compile(
    r"\.(exe|com|scr|pif|bat|cmd|ps1|vbs?|vbe|jse?|wsf|wsh|hta|msi|msix|lnk|jar|dll|cpl|reg|sh|py|app|dmg|"
    r"xlsm|docm|pptm|xlam|iso|img|vhdx?)[\s.]*$",
    re.IGNORECASE,
)


def look(data: bytes, place: Place) -> Row:
    """What a PDF says of itself; an encrypted or damaged one is a fault."""
    row: Row = {"lu.type": Value("pdf", place)}
    with _LOCK:
        try:
            pdfium = _pdfium()
        except (ImportError, OSError):
            return row | {"lu.lisible": Value(None, place, "le lecteur de PDF manque : installer quitus[pdf]")}
        document = pdfium.FPDF_LoadMemDocument64(data, len(data), None)
        if not document:
            locked = pdfium.FPDF_GetLastError() == _PASSWORD
            if locked:
                row["lu.chiffre"] = Value("true", place)
            fault = "PDF chiffré : un mot de passe est demandé" if locked else "PDF endommagé : il ne s'ouvre pas"
            return row | {"lu.lisible": Value(None, place, fault)}
        try:
            row["lu.chiffre"] = Value("false", place)
            pages = pdfium.FPDF_GetPageCount(document)
            text, unreadable = _text(pdfium, document, pages)
            fault = _damage(data) or ("PDF endommagé : aucune page" if pages < 1 else "")
            if unreadable and not fault:
                fault = f"PDF endommagé : page {unreadable} illisible"
            if fault:
                return row | {"lu.lisible": Value(None, place, fault)}
            row["lu.lisible"] = Value("true", place)
            row["lu.pages"] = Value(str(pages), place)
            row["lu.texte"] = Value("true" if text else "false", place)
            row["lu.actif"] = _active(pdfium, document, data, place)
        finally:
            pdfium.FPDF_CloseDocument(document)
    return row


@functools.cache
def _pdfium() -> Any:
    """The PDFium that pypdfium2 ships; its own bindings when the library is laid out otherwise."""
    spec = importlib.util.find_spec("pypdfium2_raw")
    for folder in spec.submodule_search_locations or () if spec else ():
        for path in sorted(Path(folder).glob("*pdfium*")):
            if path.suffix in (".so", ".dylib", ".dll"):
                library = ctypes.CDLL(str(path))
                for name, (result, arguments) in _SIGNATURES.items():
                    function = getattr(library, name)
                    function.restype, function.argtypes = result, arguments
                library.FPDF_InitLibrary()
                return library
    bindings = importlib.import_module("pypdfium2.raw")
    bindings.FPDF_InitLibrary()
    return bindings


def _damage(data: bytes) -> str:
    """PDFium repairs a truncated file silently: what is missing at its end is looked for here."""
    if b"%%EOF" not in data[-_TAIL:]:
        return "PDF endommagé : fin de fichier absente"
    linear = _LINEARIZED.search(data[:2048])
    if linear and int(linear[1]) > len(data):
        return "PDF endommagé : fichier tronqué"
    return ""


def _text(pdfium: Any, document: Any, pages: int) -> tuple[bool, int]:
    """Whether one of the first pages has a letter or a digit; the number of the first page that does not load."""
    for index in range(min(pages, PAGES_LOOKED)):
        page = pdfium.FPDF_LoadPage(document, index)
        if not page:
            return False, index + 1
        text = pdfium.FPDFText_LoadPage(page)
        try:
            if text and _has_letter(pdfium, text):
                return True, 0
        finally:
            if text:
                pdfium.FPDFText_ClosePage(text)
            pdfium.FPDF_ClosePage(page)
    return False, 0


def _has_letter(pdfium: Any, text: Any) -> bool:
    for index in range(min(pdfium.FPDFText_CountChars(text), 2000)):
        code = pdfium.FPDFText_GetUnicode(text, index)
        if code < 0x110000 and chr(code).isalnum():
            return True
    return False


def _active(pdfium: Any, document: Any, data: bytes, place: Place) -> Value:
    """Scripts, actions and executable attachments; an invoice's XML is not one. Unknown when something stays closed."""
    if pdfium.FPDFDoc_GetJavaScriptActionCount(document) > 0 or _acts(data):
        return Value("true", place)
    for index in range(min(pdfium.FPDFDoc_GetAttachmentCount(document), 1000)):
        if _EXECUTABLE.search(_attachment(pdfium, document, index)):
            return Value("true", place)
    for content in _object_streams(data):
        if content is None:
            return Value(None, place, "PDF dont une partie des objets ne se lit pas : scripts et actions inconnus")
        if _acts(content):
            return Value("true", place)
    return Value("false", place)


def _acts(data: bytes) -> bool:
    if any(name in data for name in _ACTIONS) or (b"/XFA" in data and _FORM.search(data)):
        return True
    for found in _ESCAPED.finditer(data):  # « /J#61vaScript » is « /JavaScript »
        name = _HEX.sub(lambda code: bytes([int(code[1], 16)]), found[0])
        if name in _ACTIONS:
            return True
    return False


def _object_streams(data: bytes) -> Iterator[bytes | None]:
    """The objects that a PDF keeps compressed, by stream; None for one that cannot be inflated."""
    left = _INFLATED if b"/ObjStm" in data else 0
    for found in _COMPRESSED.finditer(data) if left else ():
        begin, end = found.end(), data.find(b"endstream", found.end())
        if b"/Filter" not in data[max(data.rfind(b"obj", 0, found.start()), 0) : begin]:
            continue  # in clear: seen with the rest of the file
        try:
            content = zlib.decompressobj().decompress(data[begin : end if end >= 0 else None], max(left, 1))
        except zlib.error:
            content = b""
        left -= len(content)
        yield content if content and left > 0 else None


def _attachment(pdfium: Any, document: Any, index: int) -> str:
    attachment = pdfium.FPDFDoc_GetAttachment(document, index)
    size = pdfium.FPDFAttachment_GetName(attachment, None, 0) if attachment else 0
    if not 0 < size <= 4096:
        return ""
    name = ctypes.create_string_buffer(size)
    pdfium.FPDFAttachment_GetName(attachment, name, size)
    return name.raw.decode("utf-16-le", "replace").rstrip("\0")


def attached(data: bytes) -> bytes | None:
    """The XML of the electronic invoice that a PDF carries (Factur-X), or None; Unreadable when it cannot be had."""
    if b"/EmbeddedFile" not in data and not _attachments(data):
        return None
    try:
        import pikepdf
    except ImportError as error:
        raise Unreadable("le lecteur de PDF manque : installer quitus[pdf]") from error
    try:
        with pikepdf.open(io.BytesIO(data)) as document:
            found = [_content(stream, pikepdf) for stream in _invoices(document, pikepdf)]
    except pikepdf.PasswordError:
        return None  # `look` says so
    except (pikepdf.PdfError, ValueError, TypeError, AttributeError, KeyError, RuntimeError) as error:
        raise Unreadable("les pièces jointes du PDF sont endommagées") from error
    if len(set(found)) > 1:
        raise Unreadable("le PDF porte plusieurs factures électroniques différentes")
    return found[0] if found else None


def _attachments(data: bytes) -> int:
    with _LOCK:
        try:
            pdfium = _pdfium()
        except (ImportError, OSError):
            return 0
        document = pdfium.FPDF_LoadMemDocument64(data, len(data), None)
        if not document:
            return 0
        try:
            return int(pdfium.FPDFDoc_GetAttachmentCount(document))
        finally:
            pdfium.FPDF_CloseDocument(document)


def _invoices(document: Any, pikepdf: Any) -> Iterator[Any]:
    """The streams of the files that bear the name of an invoice: in the tree of names, and among associated files."""
    root, specs = document.Root, []
    names = root.get("/Names", {}).get("/EmbeddedFiles")
    if names is not None:
        specs += [spec for _, (_, spec) in zip(range(1000), pikepdf.NameTree(names).items(), strict=False)]
    specs += list(root.get("/AF", []))[:1000]
    for spec in specs:
        if {str(spec.get(key, "")).rpartition("/")[2].lower() for key in ("/UF", "/F")} & _INVOICES:
            files = spec.get("/EF", {})
            stream = files.get("/UF", files.get("/F"))
            if stream is None:
                raise ValueError(spec)
            yield stream


def _content(stream: Any, pikepdf: Any) -> bytes:
    """The bytes of an embedded file: never more than _ATTACHED, whatever it inflates to."""
    named = stream.get("/Filter")
    filters = [str(name) for name in named] if isinstance(named, pikepdf.Array) else [str(named)] if named else []
    raw = bytes(stream.read_raw_bytes())
    if filters and (filters != ["/FlateDecode"] or stream.get("/DecodeParms") is not None):
        raise Unreadable("la facture électronique du PDF est comprimée d'une façon inhabituelle")
    if filters:
        inflater = zlib.decompressobj()
        try:
            raw = inflater.decompress(raw, _ATTACHED + 1)
        except zlib.error as error:
            raise Unreadable("la facture électronique du PDF est endommagée") from error
        if not inflater.eof and len(raw) <= _ATTACHED:
            raise Unreadable("la facture électronique du PDF est tronquée")
    if len(raw) > _ATTACHED:
        raise Unreadable(f"la facture électronique du PDF dépasse {_ATTACHED // 2**20} Mo")
    return raw
