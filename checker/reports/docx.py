"""The one door of python-docx: letters -> the bytes of a DOCX, with real styles, lists, headers and page numbers.

The file says it was made the day of the control, its parts are in a fixed order under a fixed date: the same letters
have the same bytes. Nothing of a dossier is more than the text of a run: no field, no link, no formula.
"""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from checker.base.words import Words
from checker.errors import Problem, UsageError
from checker.reports.letters import Letter, Letters

if TYPE_CHECKING:
    from docx.document import Document
    from docx.section import Section
    from docx.text.paragraph import Paragraph

_UNDATED = dt.date(1980, 1, 1)
_FONT = "Arial"
_INK = "1F3864"
_HANGING, _BULLET = 6.35, 11.34  # mm, where the numberings of the library's own model set their tab stops
_LANGUAGES = {"fr": "fr-FR", "en": "en-GB"}
# style -> (based on, space before, space after, left indent in mm, keeps with what follows)
_STYLES = {
    "Sender": ("Normal", 0, 0, 0, False),
    "Addressee": ("Normal", 0, 0, 90, False),
    "Place": ("Normal", 16, 16, 90, False),
    "Reference": ("Normal", 0, 3, 0, False),
    "Lead": ("Normal", 8, 6, 0, True),
    "Clause": ("Normal", 0, 2, _HANGING, True),
    "Signatory": ("Normal", 0, 0, 90, True),
}


def write(found: Letters, words: Words, *, format: str) -> bytes:
    """The document; UsageError, naming the format, when the library is not there."""
    try:
        import docx
    except ImportError:
        said = words["flat.library"].format(format=format, library="python-docx")
        raise UsageError([Problem(said, todo=words["flat.install"])]) from None

    document = docx.Document()
    _about(document, found, words)
    _styles(document, words)
    for number, letter in enumerate(found.letters):
        section = document.add_section() if number else document.sections[0]
        _page(section, letter, words, first=not number, alone=len(found.letters) == 1)
        _letter(document, letter, words)
    file = io.BytesIO()
    document.save(file)
    return _fixed(file)


def _about(document: Document, found: Letters, words: Words) -> None:
    """The properties of the file; none is the clock's, nor of the library's own model."""
    about = document.core_properties
    day = dt.datetime.combine(found.day or _UNDATED, dt.time())
    about.title, about.author, about.last_modified_by = found.title, "quitus", "quitus"
    about.created = about.modified = day
    about.language = _LANGUAGES.get(words["lang"], words["lang"])
    about.comments, about.revision = "", 1
    package = document.part.package
    for key, rel in list(package.rels.items()):
        if rel.reltype.endswith("/thumbnail"):
            package.rels.pop(key)


def _styles(document: Document, words: Words) -> None:
    from docx.enum.style import WD_STYLE_TYPE
    from docx.oxml.ns import qn
    from docx.shared import Mm, Pt, RGBColor

    lang = _LANGUAGES.get(words["lang"], words["lang"])
    for element in document.styles.element.iter(qn("w:lang")):
        for name in ("w:val", "w:eastAsia"):
            element.set(qn(name), lang)
    styles: Any = document.styles
    for name in ("Normal", "Title", "List Number", "List Bullet 2", "Header", "Footer"):
        font = styles[name].font
        font.name = _FONT
        fonts = styles[name].element.get_or_add_rPr().get_or_add_rFonts()
        for theme in ("w:asciiTheme", "w:hAnsiTheme", "w:eastAsiaTheme", "w:cstheme"):
            fonts.attrib.pop(qn(theme), None)
    styles["Normal"].font.size = Pt(10)
    styles["Normal"].paragraph_format.space_after = Pt(6)
    for name in ("Header", "Footer"):
        styles[name].font.size = Pt(8)
    title = styles["Title"]
    title.font.size, title.font.bold, title.font.color.rgb = Pt(15), True, RGBColor.from_string(_INK)
    title.paragraph_format.space_before, title.paragraph_format.space_after = Pt(6), Pt(10)
    for border in title.element.iter(qn("w:pBdr")):
        border.getparent().remove(border)
        break
    styles["List Number"].font.bold = True
    for name, left, hanging in (("List Number", _HANGING, _HANGING), ("List Bullet 2", _BULLET, _BULLET - _HANGING)):
        shape = styles[name].paragraph_format
        shape.left_indent, shape.first_line_indent = Mm(left), Mm(-hanging)
        shape.space_before, shape.space_after = Pt(6 if left == _HANGING else 0), Pt(2)
        shape.keep_with_next = left == _HANGING
    for name, (base, before, after, left, kept) in _STYLES.items():
        style = styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        style.base_style = styles[base]
        shape = style.paragraph_format
        shape.space_before, shape.space_after, shape.left_indent = Pt(before), Pt(after), Mm(left)
        shape.keep_with_next = kept


def _page(section: Section, letter: Letter, words: Words, *, first: bool, alone: bool) -> None:
    """A4, its own count of pages; what the letter is stands at the head of the pages after the first."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn
    from docx.shared import Mm

    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = Mm(22)
    section.top_margin, section.bottom_margin = Mm(22), Mm(20)
    section.different_first_page_header_footer = True
    numbered: Any = OxmlElement("w:pgNumType")
    numbered.set(qn("w:start"), "1")
    for old in section._sectPr.findall(qn("w:pgNumType")):
        section._sectPr.remove(old)
    before: Any = section._sectPr.find(qn("w:cols"))
    before.addprevious(numbered)
    section.header.is_linked_to_previous = False
    section.header.paragraphs[0].text = letter.running
    if first:  # the others have the same by default
        section.first_page_header.is_linked_to_previous = False
        for footer in (section.footer, section.first_page_footer):
            footer.is_linked_to_previous = False
            _numbers(footer.paragraphs[0], words["letter.page" if alone else "letter.page_alone"])


def _numbers(paragraph: Paragraph, pattern: str) -> None:
    """« page 2 sur 3 »: fields that the word processor computes."""
    from docx.enum.text import WD_ALIGN_PARAGRAPH

    paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    for index, part in enumerate(pattern.replace("{page}", "\0PAGE\0").replace("{pages}", "\0NUMPAGES\0").split("\0")):
        if index % 2:
            _field(paragraph, part)
        elif part:
            paragraph.add_run(part)


def _field(paragraph: Paragraph, code: str) -> None:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    field: Any = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), code)
    run: Any = OxmlElement("w:r")
    text: Any = OxmlElement("w:t")
    text.text = "1"
    run.append(text)
    field.append(run)
    paragraph._p.append(field)


def _letter(document: Document, letter: Letter, words: Words) -> None:
    for style, group in (("Sender", letter.sender), ("Addressee", letter.addressee)):
        _block(document, group, style, before=20 if style == "Addressee" else 0)
    if letter.place:
        _add(document, letter.place, "Place")
    _add(document, letter.title, "Title")
    for label, text in letter.labels:
        paragraph = _add(document, "", "Reference")
        paragraph.add_run(words["text.pair"].format(label=label, text="")).bold = True
        paragraph.add_run(text)
    _block(document, letter.opening, "Normal", before=10)
    number = _restarted(document) if letter.sections else 0
    for section in letter.sections:
        _add(document, section.lead, "Lead")
        for item in section.items:
            _count(_add(document, item.head, "List Number"), number)
            for ground in item.grounds:
                if ground.clause:
                    _add(document, ground.clause, "Clause")
                for point in ground.points:
                    _add(document, point, "List Bullet 2")
            if item.tail:
                _add(document, item.tail, "Clause").paragraph_format.keep_with_next = False
    _block(document, letter.closing, "Normal", before=12, kept=bool(letter.signature))
    _block(document, letter.signature, "Signatory", before=20)
    _block(document, letter.copies, "Normal", before=60)


def _block(document: Document, lines: Iterable[str], style: str, *, before: int, kept: bool | None = None) -> None:
    """Paragraphs of one style, so many points under what precedes."""
    from docx.shared import Pt

    for index, line in enumerate(lines):
        shape = _add(document, line, style).paragraph_format
        if not index and before:
            shape.space_before = Pt(before)
        if kept is not None:
            shape.keep_with_next = kept


def _add(document: Document, text: str, style: str) -> Paragraph:
    """A paragraph at the end, before the properties of the last section.

    By hand: the library looks through every paragraph for where to add one, and through every style for its name.
    """
    from docx.oxml import OxmlElement
    from docx.text.paragraph import Paragraph

    made: Any = OxmlElement("w:p")
    document.element.body[-1].addprevious(made)
    if style != "Normal":
        made.style = style.replace(" ", "")  # its identifier
    paragraph = Paragraph(made, document._body)
    if text:
        paragraph.add_run(text)
    return paragraph


def _restarted(document: Document) -> int:
    """A numbering of the style « List Number » that starts at 1: each letter has its own."""
    numbering: Any = document.part.numbering_part.element
    style: Any = document.styles["List Number"].element
    kept = numbering.num_having_numId(style.pPr.numPr.numId.val)
    made = numbering.add_num(kept.abstractNumId.val)
    made.add_lvlOverride(ilvl=0).add_startOverride(1)
    return int(made.numId)


def _count(paragraph: Paragraph, number: int) -> None:
    shape: Any = paragraph._p.get_or_add_pPr()
    numbered = shape.get_or_add_numPr()
    numbered.get_or_add_ilvl().val = 0
    numbered.get_or_add_numId().val = number


def _fixed(file: io.BytesIO) -> bytes:
    """The same parts in a fixed order, under a fixed date."""
    made = io.BytesIO()
    with zipfile.ZipFile(file) as source, zipfile.ZipFile(made, "w") as target:
        for name in sorted(source.namelist(), key=lambda name: (name != "[Content_Types].xml", name)):
            part = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            part.create_system, part.external_attr = 3, 0o600 << 16
            target.writestr(part, source.read(name), zipfile.ZIP_DEFLATED, 6)
    return made.getvalue()
