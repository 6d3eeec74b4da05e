"""A PDF as pyhanko opens it: the signature fields of its form, its store of proofs, where a field is seen."""

from __future__ import annotations

import contextlib
import functools
import io
import itertools
from collections.abc import Iterator
from typing import Any, Final

from checker.base.certificates import Proofs

MAX_FIELDS: Final = 20_000
MAX_REVISIONS: Final = 200
MAX_PAGES: Final = 5_000
MAX_PROOFS: Final = 64


class Refused(Exception):
    """Why something cannot be told, in French."""


class Document:
    """A PDF opened by pyhanko; `lenient`: its structure is not strictly that of the standard."""

    def __init__(self, data: bytes) -> None:
        from pyhanko.pdf_utils.misc import PdfReadError
        from pyhanko.pdf_utils.reader import PdfFileReader

        self.data, self.lenient = data, False
        if data.count(b"startxref") > MAX_REVISIONS:
            raise Refused(f"signatures non lues : plus de {MAX_REVISIONS} révisions")
        try:
            self.reader = PdfFileReader(io.BytesIO(data))
            list(itertools.islice(self.signatures(), 1))
        except PdfReadError:
            self.reader, self.lenient = PdfFileReader(io.BytesIO(data), strict=False), True
        if self.reader.encrypted and self.reader.decrypt("").status.name == "FAILED":
            raise Refused("signatures non lues : PDF chiffré")

    def fields(self) -> Iterator[tuple[str, Any, str]]:
        """Name, reference and type of each field of the form, parents first; a field met twice is refused."""
        seen: set[Any] = set()
        form = get(self.reader.root, "/AcroForm") or {}
        waiting = [(item, "", "") for item in reversed(get(form, "/Fields") or ())]
        while waiting:
            raw, above, kind = waiting.pop()
            field = raw.get_object()
            if raw.reference in seen or len(seen) > MAX_FIELDS:
                raise Refused("signatures non lues : champs du formulaire en boucle ou trop nombreux")
            seen.add(raw.reference)
            name = ".".join(part for part in (above, str(get(field, "/T") or "")) if part)
            kind = str(get(field, "/FT") or kind)
            yield name, raw, kind
            waiting += [(item, name, kind) for item in reversed(get(field, "/Kids") or ())]

    def signatures(self) -> Iterator[tuple[str, Any]]:
        """The fields that hold a signature; a timestamp of the document is none."""
        for name, raw, kind in self.fields():
            value = get(raw.get_object(), "/V") if kind == "/Sig" else None
            if value is not None and get(value, "/Type") != "/DocTimeStamp":
                yield name, raw

    @functools.cached_property
    def proofs(self) -> Proofs:
        """What the document's security store (DSS) holds; what cannot be read of it proves nothing."""
        from pyhanko.pdf_utils.decode_limits import DecodePurpose

        store: Any = {}
        with contextlib.suppress(Exception):
            store = get(self.reader.root, "/DSS") or store
        found: list[tuple[bytes, ...]] = []
        for key, purpose in (
            ("/Certs", DecodePurpose.CERTIFICATE),
            ("/CRLs", DecodePurpose.CRL),
            ("/OCSPs", DecodePurpose.OCSP_RESPONSE),
        ):
            items = []
            for item in itertools.islice(get(store, key) or (), MAX_PROOFS):
                with contextlib.suppress(Exception):
                    items.append(item.get_object().read_data(purpose))
            found.append(tuple(items))
        return Proofs(*found)

    def spot(self, field: Any) -> tuple[int | None, str | None]:
        """Page (from 1) and region, in points from the top left, of a visible field; nothing for an invisible one."""
        widget = field if "/Rect" in field else next((kid.get_object() for kid in get(field, "/Kids") or ()), field)
        box = [float(item) for item in get(widget, "/Rect") or ()]
        page = dict.get(widget, "/P")
        if len(box) != 4 or box[0] == box[2] or box[1] == box[3] or page is None:
            return None, None
        waiting: list[tuple[Any, Any, Any]] = [(dict.get(self.reader.root, "/Pages"), None, 0)]
        number = 0
        for _ in range(MAX_PAGES):
            if not waiting:
                break
            raw, sheet, turned = waiting.pop()
            node = raw.get_object()
            sheet = get(node, "/CropBox") or get(node, "/MediaBox") or sheet
            turned = get(node, "/Rotate") or turned
            if "/Kids" in node:
                waiting += [(kid, sheet, turned) for kid in reversed(node["/Kids"])]
                continue
            number += 1
            if raw.reference == page.reference:
                edges = [float(item) for item in sheet or ()]
                return number, _region(box, edges) if len(edges) == 4 and not int(turned) else None
        return None, None


def get(node: Any, key: str) -> Any:
    """The object under a key of a dictionary, its reference followed; None without it."""
    return node[key] if dict.get(node, key) is not None else None


def _region(box: list[float], sheet: list[float]) -> str:
    left, top = min(sheet[0], sheet[2]), max(sheet[1], sheet[3])
    (x0, x1), (y0, y1) = sorted((box[0], box[2])), sorted((box[1], box[3]))
    return ",".join(f"{round(item, 1):g}" for item in (x0 - left, top - y1, x1 - left, top - y0))
