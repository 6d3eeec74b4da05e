"""The words of a PDF with page and box.

PDFium is called through ctypes as in `pdf`. Of a word, its first and last sign are measured: two calls a word, one a
sign. What the page does not show (invisible text, off its edges) is left out of `pages`; the invisible text that a
scanner lays behind its image is had with `hidden`: it was recognised, nobody printed it.
"""

from __future__ import annotations

import ctypes
import functools
import importlib
import importlib.util
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from checker.base.page import MAX_LETTERS, MAX_WORDS, Page, Word, clean

LIMIT: Final = 50  # pages
MAX_SIGNS: Final = 600_000  # of a document: about three seconds
_GRAIN: Final = 64  # PDFium turns points into whole pixels: this many a point
_BREAKS: Final = frozenset({0x02, 0xFFFE})  # the hyphen that ends a line: what follows is on the next one
_INVISIBLE: Final = frozenset({3, 7})  # text rendering modes, ISO 32000-1 table 106
_LOCK: Final = threading.Lock()  # PDFium knows one thread

Matrix = tuple[float, float, float, float, float, float]


class _Rect(ctypes.Structure):
    _fields_ = [(name, ctypes.c_float) for name in ("left", "top", "right", "bottom")]


_SIGNATURES: Final[dict[str, tuple[Any, list[Any]]]] = {
    "FPDF_InitLibrary": (None, []),
    "FPDF_LoadMemDocument64": (ctypes.c_void_p, [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p]),
    "FPDF_CloseDocument": (None, [ctypes.c_void_p]),
    "FPDF_GetPageCount": (ctypes.c_int, [ctypes.c_void_p]),
    "FPDF_LoadPage": (ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_int]),
    "FPDF_ClosePage": (None, [ctypes.c_void_p]),
    "FPDF_GetPageWidthF": (ctypes.c_float, [ctypes.c_void_p]),
    "FPDF_GetPageHeightF": (ctypes.c_float, [ctypes.c_void_p]),
    "FPDF_PageToDevice": (
        ctypes.c_int,
        [ctypes.c_void_p, *[ctypes.c_int] * 5, *[ctypes.c_double] * 2, *[ctypes.c_void_p] * 2],
    ),
    "FPDFText_LoadPage": (ctypes.c_void_p, [ctypes.c_void_p]),
    "FPDFText_ClosePage": (None, [ctypes.c_void_p]),
    "FPDFText_CountChars": (ctypes.c_int, [ctypes.c_void_p]),
    "FPDFText_GetUnicode": (ctypes.c_uint, [ctypes.c_void_p, ctypes.c_int]),
    "FPDFText_GetLooseCharBox": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p]),
    "FPDFText_GetTextObject": (ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_int]),
    "FPDFTextObj_GetTextRenderMode": (ctypes.c_int, [ctypes.c_void_p]),
}


def pages(data: bytes, limit: int = LIMIT, hidden: bool = False) -> list[Page]:
    """The first `limit` pages; [] when the PDF does not open (`pdf.look` says why) or its library is missing.

    `hidden`: the invisible text instead of the text that shows. The last page is not `whole` when pages or signs
    (beyond MAX_SIGNS) follow it.
    """
    with _LOCK:
        try:
            pdfium = _pdfium()
        except (ImportError, OSError, AttributeError):
            return []
        document = pdfium.FPDF_LoadMemDocument64(data, len(data), None)
        if not document:
            return []
        try:
            return _read(pdfium, document, limit, hidden)
        finally:
            pdfium.FPDF_CloseDocument(document)


def _read(pdfium: Any, document: Any, limit: int, hidden: bool) -> list[Page]:
    found: list[Page] = []
    count = pdfium.FPDF_GetPageCount(document)
    left = MAX_SIGNS
    for index in range(min(count, limit)):
        page = pdfium.FPDF_LoadPage(document, index)
        if not page:
            found.append(Page(index + 1, 0.0, 0.0, (), whole=False))
            continue
        try:
            done, signs = _page(pdfium, page, index + 1, left, hidden)
        finally:
            pdfium.FPDF_ClosePage(page)
        found.append(done)
        left -= signs
        if left <= 0:
            break
    if found and len(found) < count:
        found[-1] = found[-1]._replace(whole=False)
    return found


@functools.cache
def _pdfium() -> Any:
    """The PDFium that pypdfium2 ships, its own bindings when it is laid out otherwise."""
    spec = importlib.util.find_spec("pypdfium2_raw")
    for folder in spec.submodule_search_locations or () if spec else ():
        for path in sorted(Path(folder).glob("*pdfium*")):
            if path.suffix in (".so", ".dylib", ".dll"):
                library = ctypes.CDLL(str(path))
                for name, (result, arguments) in _SIGNATURES.items():
                    function = getattr(library, name)
                    function.restype, function.argtypes = result, arguments
                library.FPDF_InitLibrary()  # a second call does nothing
                return library
    bindings = importlib.import_module("pypdfium2.raw")
    bindings.FPDF_InitLibrary()
    return bindings


def _page(pdfium: Any, page: Any, number: int, left: int, hidden: bool) -> tuple[Page, int]:
    """A page, and how many signs were read of it."""
    width, height = pdfium.FPDF_GetPageWidthF(page), pdfium.FPDF_GetPageHeightF(page)
    text = pdfium.FPDFText_LoadPage(page)
    if not text:
        return Page(number, width, height, (), whole=False), 0
    try:
        count = max(pdfium.FPDFText_CountChars(text), 0)
        matrix = _matrix(pdfium, page, width, height)
        words = _words(pdfium, text, min(count, left), matrix, hidden)
    finally:
        pdfium.FPDFText_ClosePage(text)
    shown = [word for word in words if _inside(word, width, height)]
    whole = count <= left and len(words) <= MAX_WORDS
    return Page(number, width, height, tuple(shown[:MAX_WORDS]), whole), count


def _matrix(pdfium: Any, page: Any, width: float, height: float) -> Matrix:
    """From the space of the page to points from its top left corner, turned and cropped as shown."""
    sizes = (0, 0, max(round(width * _GRAIN), 1), max(round(height * _GRAIN), 1), 0)
    across, down = ctypes.c_int(), ctypes.c_int()

    def at(x: float, y: float) -> tuple[float, float]:
        pdfium.FPDF_PageToDevice(page, *sizes, x, y, ctypes.byref(across), ctypes.byref(down))
        return across.value / _GRAIN, down.value / _GRAIN

    (e, f), (ax, ay), (bx, by) = at(0, 0), at(1000, 0), at(0, 1000)
    return (ax - e) / 1000, (ay - f) / 1000, (bx - e) / 1000, (by - f) / 1000, e, f


def _words(pdfium: Any, text: Any, count: int, matrix: Matrix, hidden: bool) -> list[Word]:
    """The words of the first signs of a page, at most MAX_WORDS + 1 of them, in the order of the file."""
    unicode: Callable[[Any, int], int] = pdfium.FPDFText_GetUnicode
    found: list[Word] = []
    modes: dict[int, bool] = {}
    signs: list[str] = []
    start = 0
    for index in range(count + 1):
        code = unicode(text, index) if index < count else 32
        char = chr(code) if 0 < code < 0x110000 else ""
        if char and not char.isspace() and len(signs) < MAX_LETTERS:
            if not signs:
                start = index
            signs.append(char)
            if code not in _BREAKS:
                continue
            char = ""
        if signs:
            word = clean("".join(signs))
            if word and _hidden(pdfium, text, start, modes) == hidden:
                found.append(_word(pdfium, text, word, (start, start + len(signs) - 1), matrix))
            if len(found) > MAX_WORDS:
                return found
            signs, start = ([char], index) if char and not char.isspace() else ([], index)
    return found


def _hidden(pdfium: Any, text: Any, index: int, modes: dict[int, bool]) -> bool:
    """Whether the sign is drawn with nothing; remembered by object of the page."""
    item = pdfium.FPDFText_GetTextObject(text, index)
    if not item:
        return False
    key = item if isinstance(item, int) else ctypes.cast(item, ctypes.c_void_p).value or 0
    if key not in modes:
        modes[key] = pdfium.FPDFTextObj_GetTextRenderMode(item) in _INVISIBLE
    return modes[key]


def _word(pdfium: Any, text: Any, word: str, ends: tuple[int, int], matrix: Matrix) -> Word:
    box = _Rect()
    across: list[float] = []
    down: list[float] = []
    a, b, c, d, e, f = matrix
    for index in ends:
        pdfium.FPDFText_GetLooseCharBox(text, index, ctypes.byref(box))
        for x, y in ((box.left, box.bottom), (box.right, box.top)):
            across.append(a * x + c * y + e)
            down.append(b * x + d * y + f)
    return Word(word, *(round(edge, 1) for edge in (min(across), min(down), max(across), max(down))))


def _inside(word: Word, width: float, height: float) -> bool:
    """Whether the middle of a word is on its page, and the word large enough to be seen."""
    middle = (word.x0 + word.x1) / 2, (word.y0 + word.y1) / 2
    return 0 <= middle[0] <= width and 0 <= middle[1] <= height and max(word.y1 - word.y0, word.x1 - word.x0) >= 1
