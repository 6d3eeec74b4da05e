"""The rows of `signature_lue` of a PDF: each signature read, verified and judged (the definitions: `pades`)."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import itertools
import logging
import re
from typing import Any, Final, NamedTuple

from checker.base import timestamp
from checker.base.certificates import Proofs, Roots
from checker.base.signature import MAX_SIGNATURES, MISSING, TOO_MANY, WEAK, blank, day, flag, instant, judged, signer
from checker.facts.readers.pades.document import MAX_PROOFS, Document, Refused, get
from checker.model import Place, Row, Value

MAX_HASHED: Final = 2 * 2**30  # bytes: file size times signatures
_MAX_STAMPS: Final = 4
_HEX: Final = re.compile(rb"[0-9A-Fa-f]+\Z")
_DETACHED: Final = ("/adbe.pkcs7.detached", "/ETSI.CAdES.detached")
logging.getLogger("pyhanko").addHandler(logging.NullHandler())
logging.getLogger("pyhanko_certvalidator").addHandler(logging.NullHandler())


def rows(data: bytes, place: Place, nature: str, roots: Roots, moment: dt.date | None) -> list[Row]:
    """The row of each signature; a document that cannot be read is one row that says why. Nothing is raised."""
    found: list[Row] = []
    try:
        document = Document(data)
        fields = document.signatures()
        for name, field in itertools.islice(fields, _allowed(len(data))):
            found.append(_signature(document, name, field, (place, nature, roots), instant(moment)))
        if next(fields, None) is not None:
            found.append(blank(place, nature, "pades", "", TOO_MANY))
    except ImportError:
        found.append(blank(place, nature, "pades", "", MISSING))
    except Refused as error:
        found.append(blank(place, nature, "pades", "", str(error)))
    except Exception as error:  # a hostile file: whatever it causes in the library
        found.append(
            blank(place, nature, "pades", "", f"signatures illisibles : PDF endommagé ({type(error).__name__})")
        )
    return found


def _allowed(size: int) -> int:
    return max(1, min(MAX_SIGNATURES, MAX_HASHED // size))


def _signature(
    document: Document, name: str, raw: Any, about: tuple[Place, str, Roots], moment: dt.datetime | None
) -> Row:
    """The row of one signature; what cannot be told of it is a fault of its column."""
    place, nature, roots = about
    with contextlib.suppress(Exception):
        page, region = document.spot(raw.get_object())
        place = place._replace(page=page, place=region)
    try:
        from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

        signature = EmbeddedPdfSignature(document.reader, raw, name)
        ranges = _ranges(document.data, signature)
        certificate = signature.signer_cert.dump()
        row = blank(place, nature, "pades", name)
        signer(row, certificate, place)
    except Exception as error:
        why = str(error) if isinstance(error, Refused) else f"dictionnaire endommagé ({type(error).__name__})"
        return blank(place, nature, "pades", name, f"signature illisible : {why}")
    _content(row, document, signature, ranges, place)
    proofs = _proofs(signature, document.proofs)
    at = _stamped(signature, proofs, roots)
    with contextlib.suppress(Exception):  # a date that is none
        at = at or instant(signature.self_reported_timestamp)
    row["date"] = Value(day(at) if at else None, place, None if at else "la signature ne dit pas sa date")
    judged(row, certificate, proofs, roots, at or moment, place)
    return row


class _Ranges(NamedTuple):
    """The signed bytes (the part of the file that ByteRange names), where they end, what is odd about them."""

    parts: tuple[memoryview, memoryview]
    end: int
    odd: str


def _ranges(data: bytes, signature: Any) -> _Ranges:
    """Refused when a ByteRange is not four numbers; odd when they leave out more than /Contents."""
    numbers = list(signature.byte_range)
    if len(numbers) != 4 or not all(isinstance(item, int) for item in numbers):
        raise Refused("la plage signée (ByteRange) n'est pas de quatre nombres")
    start, length, after, rest = numbers
    view, odd = memoryview(data), ""
    gap = data[max(length, 0) : max(after, 0)]
    if start != 0 or not 0 < length < after or rest < 0 or after + rest > len(data):
        odd = "la plage signée sort du fichier, se chevauche ou ne part pas du début"
    elif (
        gap[:1] != b"<"
        or gap[-1:] != b">"
        or not _HEX.match(gap[1:-1])
        or len(gap) % 2
        or bytes.fromhex(gap[1:-1].decode()) != signature.pkcs7_content
    ):
        odd = "la plage signée laisse de côté autre chose que la signature"
    parts = [view[max(low, 0) : max(low, 0) + max(size, 0)] for low, size in ((start, length), (after, rest))]
    return _Ranges((parts[0], parts[1]), after + rest, odd)


def _content(row: Row, document: Document, signature: Any, ranges: _Ranges, place: Place) -> None:
    """Fill `integre`, `couvre_tout`, `modifie_apres`."""
    changed = False
    try:
        intact, changed = _intact(signature, ranges)
        row["integre"] = flag(intact, place) if not (intact and ranges.odd) else Value(None, place, ranges.odd)
    except Exception as error:
        why = str(error) if isinstance(error, Refused) else f"la signature ne se vérifie pas ({type(error).__name__})"
        row["integre"] = Value(None, place, why)
    try:
        covers, more = _coverage(document, signature, ranges)
        row["couvre_tout"], row["modifie_apres"] = flag(covers, place), flag(more or changed, place)
    except Exception as error:
        why = str(error) if isinstance(error, Refused) else f"révisions illisibles ({type(error).__name__})"
        row["couvre_tout"] = flag(False, place) if ranges.odd else Value(None, place, why)
        row["modifie_apres"] = flag(True, place) if changed else Value(None, place, why)


def _intact(signature: Any, ranges: _Ranges) -> tuple[bool, bool]:
    """Whether the signed bytes are those signed, by that certificate's key; whether they changed since."""
    from pyhanko.sign.validation.generic_cms import validate_sig_integrity

    kind = str(get(signature.sig_object, "/SubFilter"))
    content = signature.signed_data["encap_content_info"]
    if kind not in _DETACHED or content["content_type"].native != "data" or content["content"].native is not None:
        raise Refused(f"forme de signature non vérifiée : {kind.lstrip('/')}")
    if weak := {signature.md_algorithm, _hash(signature.signer_info)} & WEAK:
        raise Refused(f"algorithme trop faible : {min(weak)}")
    digest = hashlib.new(signature.md_algorithm)
    for part in ranges.parts:
        digest.update(part)
    same, signed = validate_sig_integrity(signature.signer_info, signature.signer_cert, "data", digest.digest())
    return same and signed, signed and not same


def _hash(signer_info: Any) -> str:
    try:
        return str(signer_info["signature_algorithm"].hash_algo)
    except ValueError:
        return ""  # said by the digest algorithm


def _coverage(document: Document, signature: Any, ranges: _Ranges) -> tuple[bool, bool]:
    """`couvre_tout` and `modifie_apres` (module's docstring); Refused when the second cannot be told."""
    from pyhanko.sign.validation.status import SignatureCoverageLevel as Level

    if ranges.odd:
        raise Refused(ranges.odd)
    if ranges.end == len(document.data):
        return True, False
    if document.lenient:
        raise Refused("PDF mal formé : ce qui suit la signature n'a pu être comparé")
    signature.compute_integrity_info()
    if signature.coverage < Level.ENTIRE_REVISION:
        return False, True
    if signature.signed_revision == document.reader.total_revisions - 1:
        more = bool(document.data[ranges.end :].strip(b"\r\n\t \0"))  # bytes of no revision
        return not more, more
    if signature.summarise_integrity_info()["docmdp_ok"] is False:
        return False, True
    signed = {name for name, _, kind in document.fields() if kind == "/Sig"}
    return not set(signature.diff_result.changed_form_fields) - signed, False


def _proofs(signature: Any, store: Proofs) -> Proofs:
    """The document's proofs and those inside the signature (adbe-revocationInfoArchival, ISO 32000-2 §12.8.3.3.2)."""
    certificates = tuple(item.dump() for item in signature.other_embedded_certs[:MAX_PROOFS])
    crls, ocsps = store.crls, store.ocsps
    for attribute in signature.signer_info["signed_attrs"] or ():
        if attribute["type"].native == "adobe_revocation_info_archival":
            with contextlib.suppress(Exception):
                archive = attribute["values"][0]
                crls += tuple(item.dump() for item in archive["crl"] or ())
                ocsps += tuple(item.dump() for item in archive["ocsp"] or ())
    return Proofs(certificates + store.certificates, crls, ocsps)


def _stamped(signature: Any, proofs: Proofs, roots: Roots) -> dt.datetime | None:
    """The time of the first timestamp that holds over this signature."""
    from pyhanko.sign.validation.generic_cms import extract_tst_data_iter

    try:
        tokens = list(itertools.islice(extract_tst_data_iter(signature.signer_info, signed=False), _MAX_STAMPS))
        signed = bytes(signature.signer_info["signature"])
        times = (timestamp.held(token, signed, proofs, roots) for token in tokens)
        return next((at for at in times if at), None)
    except Exception:  # no unsigned attribute, or none that reads
        return None
