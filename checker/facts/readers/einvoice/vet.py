"""XML that may be opened: no DOCTYPE, bounded in bytes, depth, elements and attributes; then a tree, nothing fetched.

Two passes. expat streams the document and stops at the first excess, so that a hostile one never becomes a tree; lxml,
without entities, network nor `huge_tree`, builds it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from xml.parsers import expat

from checker.base.unreadable import Unreadable

MAX_BYTES: Final = 20 * 2**20
MAX_DEPTH: Final = 48  # a UBL invoice with a signature in its extensions has about 20
MAX_ELEMENTS: Final = 300_000
MAX_ATTRIBUTES: Final = 50  # of an element
MAX_NAMESPACES: Final = 20  # declared by an element
_CHUNK: Final = 2**16
_DOCTYPE: Final = "XML refusé : il déclare un DOCTYPE"


class _Met(Exception):
    """The root element is met."""


def root_name(data: bytes) -> str:
    """« namespace name » of the root (« name » without namespace), nothing read beyond it; raises Unreadable."""
    name = ""

    def element(tag: str, _: object) -> None:
        nonlocal name
        name = tag
        raise _Met

    parser = _parser(element)
    try:
        _feed(parser, data)
    except _Met:
        return name
    return ""


def check(data: bytes) -> None:
    """Unreadable when the document is malformed or beyond a bound."""
    if len(data) > MAX_BYTES:
        raise Unreadable(f"XML refusé : plus de {MAX_BYTES // 2**20} Mo")
    depth = elements = namespaces = 0

    def element(_: str, attributes: dict[str, str]) -> None:
        nonlocal depth, elements, namespaces
        depth, elements, namespaces = depth + 1, elements + 1, 0
        if depth > MAX_DEPTH:
            raise Unreadable(f"XML refusé : plus de {MAX_DEPTH} niveaux d'éléments")
        if elements > MAX_ELEMENTS:
            raise Unreadable(f"XML refusé : plus de {MAX_ELEMENTS} éléments")
        if len(attributes) > MAX_ATTRIBUTES:
            raise Unreadable(f"XML refusé : plus de {MAX_ATTRIBUTES} attributs sur un élément")

    def end(_: str) -> None:
        nonlocal depth
        depth -= 1

    def namespace(*_: object) -> None:
        nonlocal namespaces
        namespaces += 1
        if namespaces > MAX_NAMESPACES:
            raise Unreadable(f"XML refusé : plus de {MAX_NAMESPACES} espaces de noms sur un élément")

    parser = _parser(element)
    parser.EndElementHandler = end
    parser.StartNamespaceDeclHandler = namespace
    _feed(parser, data)


def tree(data: bytes) -> Any:
    """The root element of a document that `check` accepts (comments and instructions left out); raises Unreadable."""
    try:
        from lxml import etree
    except ImportError as error:
        raise Unreadable("le lecteur de factures électroniques manque : installer quitus[facture]") from error
    try:
        root = etree.fromstring(data, parser())
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Unreadable("XML endommagé, ou texte de plus de 10 Mo d'un seul tenant") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise Unreadable(_DOCTYPE)
    return root


def parser() -> Any:
    """An lxml parser that resolves and fetches nothing."""
    from lxml import etree

    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )


def _parser(element: Callable[[str, dict[str, str]], None]) -> Any:
    def doctype(*_: object) -> None:
        raise Unreadable(_DOCTYPE)

    made = expat.ParserCreate(namespace_separator=" ")
    made.StartDoctypeDeclHandler = doctype
    made.StartElementHandler = element
    return made


def _feed(parser: Any, data: bytes) -> None:
    try:
        for start in range(0, len(data), _CHUNK):
            parser.Parse(data[start : start + _CHUNK], False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise Unreadable(f"XML endommagé : ligne {error.lineno}") from error
    except (LookupError, ValueError) as error:
        raise Unreadable("XML endommagé : encodage inconnu") from error
