"""The words that tesseract recognises on the pages of a scan, with their boxes: an option, extra `ocr`.

What is recognised was not printed as text by anybody: its values are marked « ocr ». A word that tesseract itself
doubts is replaced by « \ufffd », so that no value is made of it.
"""

from __future__ import annotations

import functools
import importlib.util
import io
import shutil
from collections.abc import Iterator
from typing import Any, Final

from checker.base.page import MAX_WORDS, Page, Word, clean

LIMIT: Final = 10  # pages: two seconds each
LANGUAGE: Final = "fra"
SECONDS: Final = 60  # a page: tesseract is stopped, the page is left unread
DOTS: Final = 300  # an inch
MAX_DOTS: Final = 25_000_000  # of a page drawn: A3 at 300 dots an inch is 17
DOUBT: Final = 40  # of 100
_LINE: Final = 4  # tesseract's level of a line of text
_INCH: Final = 72.0  # points
_USUAL: Final = range(72, 1201)  # dots an inch that an image may say it has
_GUESSED: Final = 200


@functools.cache
def missing() -> str:
    """Why scans are not read, in French; "" when they can be."""
    if importlib.util.find_spec("pytesseract") is None:
        return "la reconnaissance de caractères n'est pas installée : installer quitus[ocr]"
    if shutil.which("tesseract") is None:
        return "la reconnaissance de caractères demande le programme tesseract"
    import pytesseract

    try:
        known = pytesseract.get_languages()
    except (OSError, RuntimeError, pytesseract.TesseractError):
        known = []
    return "" if LANGUAGE in known else "tesseract n'a pas la langue française (données « fra »)"


def pages(data: bytes, limit: int = LIMIT) -> list[Page]:
    """The first pages of a PDF, or of a PNG, JPEG or TIFF, recognised; [] when nothing opens or `missing()` says why.

    A page too large or too slow has no words and is not `whole`; the last one is not when others follow it.
    """
    if missing():
        return []
    found: list[Page] = []
    try:
        for image, width, height, more in _pdf(data) if b"%PDF-" in data[:1024] else _image(data):
            found.append(_read(image, len(found) + 1, width, height))
            if len(found) >= limit and more:
                found[-1] = found[-1]._replace(whole=False)
            if len(found) >= limit:
                break
    except Exception:  # a damaged image: Pillow and PDFium raise of many types
        if found:
            found[-1] = found[-1]._replace(whole=False)
    return found


def _pdf(data: bytes) -> Iterator[tuple[Any, float, float, bool]]:
    """Pages drawn in grey, their size in points, whether others follow."""
    import pypdfium2

    document = pypdfium2.PdfDocument(data)
    try:
        count = len(document)
        for index in range(count):
            page = document[index]
            width, height = page.get_size()
            scale = min(DOTS / _INCH, (MAX_DOTS / max(width * height, 1)) ** 0.5)
            bitmap = page.render(scale=scale, grayscale=True, may_draw_forms=False)
            try:
                yield bitmap.to_pil(), width, height, index + 1 < count
            finally:
                bitmap.close()
                page.close()
    finally:
        document.close()


def _image(data: bytes) -> Iterator[tuple[Any, float, float, bool]]:
    from PIL import Image, ImageSequence

    with Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "TIFF")) as image:
        count = getattr(image, "n_frames", 1)
        for index, frame in enumerate(ImageSequence.Iterator(image)):
            said = float(frame.info.get("dpi", (0, 0))[0])
            dots = said if round(said) in _USUAL else _GUESSED
            width, height = frame.size
            drawn = frame.convert("L") if width * height <= MAX_DOTS else None
            yield drawn, width * _INCH / dots, height * _INCH / dots, index + 1 < count


def _read(image: Any, number: int, width: float, height: float) -> Page:
    import pytesseract

    if image is None:
        return Page(number, width, height, (), whole=False)
    try:
        told = pytesseract.image_to_data(
            image, lang=LANGUAGE, config="--psm 3", timeout=SECONDS, output_type=pytesseract.Output.DICT
        )
    except (OSError, RuntimeError, pytesseract.TesseractError):
        return Page(number, width, height, (), whole=False)
    words = _words(told, width / max(image.size[0], 1))
    return Page(number, width, height, tuple(words[:MAX_WORDS]), whole=len(words) <= MAX_WORDS)


def _words(told: dict[str, list[Any]], scale: float) -> list[Word]:
    """Each word as high as its line: a dash and a capital then stand on one line."""
    heights = sorted(high for high, text in zip(told["height"], told["text"], strict=True) if str(text).strip())
    usual = heights[len(heights) // 2] if heights else 0
    words: list[Word] = []
    line = (0, 0)
    for index, raw in enumerate(told["text"][: 10 * MAX_WORDS]):
        top, high = told["top"][index], told["height"][index]
        if told["level"][index] == _LINE:
            line = (top, high)
        text = clean(str(raw).strip())
        if text:
            if line[1] <= 2 * max(usual, high):
                top, high = line
            shown = text if float(told["conf"][index]) >= DOUBT else "\ufffd"
            edges = (told["left"][index], top, told["left"][index] + told["width"][index], top + high)
            words.append(Word(shown, *(round(edge * scale, 1) for edge in edges)))
    return words
