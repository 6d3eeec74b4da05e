"""XML signatures (XAdES EN 319 132, XML-DSig): who, when, four facts apart. signxml is loaded when one is there.

A row of `signature_lue` a `ds:Signature`, its place the XPath of the element. A DOCTYPE is refused.

- `integre`: each reference's digest is that of the document, and the certificate's key signed them. Transforms other
  than « enveloped », canonical forms and base64, external references, MD5 and SHA-1: unknown, with the reason.
- `couvre_tout`: a reference is the whole document (URI "" or the root's own Id; the object of an enveloping signature).
- `modifie_apres`: a digest no longer matches; no when all match and all is covered; else unknown. An XML document has
  no revision: what another signature adds breaks the enveloped ones before it.
- `date`: the legal day in Paris of a signature timestamp that holds, else of the SigningTime, both of a signature that
  holds. `de_confiance`, `certificat_valide`, `revoque` (base/certificates): then, with the proofs that it holds.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import datetime as dt
import itertools
from collections.abc import Iterator
from typing import Any, Final
from xml.parsers import expat

from checker.base.certificates import NO_ROOTS, Proofs, Roots
from checker.base.signature import MAX_SIGNATURES, MISSING, TOO_MANY, blank, day, flag, instant, judged, signer
from checker.model import Place, Row, Told, Value

MAX_SIZE: Final = 20 * 2**20  # bytes of a document whose signatures are verified
MAX_COPIED: Final = 400 * 2**20  # bytes: its size times the references of all its signatures
_MAX_PROOFS: Final = 64
_DS: Final = "{http://www.w3.org/2000/09/xmldsig#}"
_MARK: Final = "http://www.w3.org/2000/09/xmldsig#"
_ETSI: Final = "{http://uri.etsi.org/01903/v1.3.2#}"
_ENVELOPED: Final = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
_TRANSFORMS: Final = (
    _ENVELOPED,
    "http://www.w3.org/2000/09/xmldsig#base64",
    "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
    "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments",
    "http://www.w3.org/2006/12/xml-c14n11",
    "http://www.w3.org/2006/12/xml-c14n11#WithComments",
    "http://www.w3.org/2001/10/xml-exc-c14n#",
    "http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
)
_WEAK: Final = ("sha1", "md5", "hmac")


class _Refused(Exception):
    """Why something cannot be told, in French."""


def tell(data: bytes, place: Place, nature: str, roots: Roots = NO_ROOTS, moment: dt.date | None = None) -> Told:
    """The signatures of an XML document; none: no row. `moment` judges the certificate of one that has no date."""
    if not any(_MARK.encode(form) in data for form in ("utf-8", "utf-16-le", "utf-16-be")) or data[:4] == b"%PDF":
        return Told({})
    rows: list[Row] = []
    try:
        found = _signatures(data)
        budget = MAX_COPIED // max(len(data), 1)
        for index, node in enumerate(found[:MAX_SIGNATURES]):
            budget -= 2 + sum(1 for _ in node.iter(f"{_DS}Reference"))
            where = place._replace(place=node.getroottree().getpath(node), line=node.sourceline)
            if budget < 0:
                rows.append(blank(where, nature, "xades", "", "trop de références : signature non vérifiée"))
                continue
            rows.append(_signature(data, index, node, (where, nature, roots), instant(moment)))
        if len(found) > MAX_SIGNATURES:
            rows.append(blank(place, nature, "xades", "", TOO_MANY))
    except ImportError:
        rows.append(blank(place, nature, "xades", "", MISSING))
    except _Refused as error:
        rows.append(blank(place, nature, "xades", "", str(error)))
    except Exception as error:  # a hostile file: whatever it causes in the library
        rows.append(blank(place, nature, "xades", "", f"signatures illisibles ({type(error).__name__})"))
    return Told({"signature_lue": [(0, row) for row in rows]} if rows else {})


def _signatures(data: bytes) -> list[Any]:
    """The signature elements, in the order of the document (those inside another one are its own business)."""
    _plain(data)
    if len(data) > MAX_SIZE:
        raise _Refused(f"signatures non lues : XML de plus de {MAX_SIZE // 2**20} Mo")
    from lxml import etree

    root = etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
    return list(itertools.islice(root.iter(f"{_DS}Signature"), MAX_SIGNATURES + 1))


def _plain(data: bytes) -> None:
    """Refuse a DOCTYPE, and what is not XML, before any tree is built."""

    def doctype(*_: object) -> None:
        raise _Refused("XML refusé : il déclare un DOCTYPE")

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, LookupError, ValueError):
        raise _Refused("signatures illisibles : XML endommagé") from None


def _signature(data: bytes, index: int, node: Any, about: tuple[Place, str, Roots], moment: dt.datetime | None) -> Row:
    """The row of one signature; what cannot be told of it is a fault of its column."""
    place, nature, roots = about
    row = blank(place, nature, "xades", node.get("Id") or place.place or "")
    try:
        inside = [_bytes(item) for item in node.iterfind(f"{_DS}KeyInfo/{_DS}X509Data/{_DS}X509Certificate")]
        certificate, others = _leaf(inside[:_MAX_PROOFS])
        signer(row, certificate, place)
    except Exception as error:
        why = str(error) if isinstance(error, _Refused) else f"certificat illisible ({type(error).__name__})"
        return blank(place, nature, "xades", node.get("Id") or place.place or "", why)
    proofs = Proofs(
        (*others, *_values(node, "EncapsulatedX509Certificate")),
        _values(node, "EncapsulatedCRLValue"),
        _values(node, "EncapsulatedOCSPValue"),
    )
    verified = _verify(data, index, node, certificate, row, place)
    at = (_stamped(node, proofs, roots) or _claimed(verified)) if verified is not None else None
    row["date"] = Value(day(at) if at else None, place, None if at else "aucune date n'est tenue par la signature")
    judged(row, certificate, proofs, roots, at or moment, place)
    return row


def _verify(data: bytes, index: int, node: Any, certificate: bytes, row: Row, place: Place) -> list[Any] | None:
    """Fill the three facts of the content; what is signed, as verified, or None."""
    from cryptography import x509
    from signxml.exceptions import InvalidDigest, InvalidSignature
    from signxml.verifier import SignatureConfiguration, XMLVerifier

    class Nth(XMLVerifier):
        """Verifies the signature of that rank; signxml alone takes the first."""

        def _get_signature(self, root: Any) -> Any:
            return next(itertools.islice(root.iter(f"{_DS}Signature"), index, None))

    columns = ("integre", "couvre_tout", "modifie_apres")
    try:
        whole = _whole(node)
        held = x509.load_der_x509_certificate(certificate)
        settings = SignatureConfiguration(expect_references=False, verification_time=held.not_valid_before_utc)
        results = Nth().verify(data, x509_cert=held, expect_config=settings)
        facts: tuple[bool | None, ...] = (True, whole, False if whole else None)
        verified = results if isinstance(results, list) else [results]
        _own(verified, certificate)
    except InvalidDigest:
        facts, verified = (False, whole, True), None
    except InvalidSignature:
        facts, verified = (False, whole, None), None
    except Exception as error:
        why = str(error) if isinstance(error, _Refused) else f"la signature ne se vérifie pas ({type(error).__name__})"
        row.update(dict.fromkeys(columns, Value(None, place, why)))
        return None
    row.update(zip(columns, (flag(item, place) for item in facts), strict=True))
    return verified


def _whole(node: Any) -> bool:
    """Whether a reference is the whole document; _Refused when the signature has what is not verified here."""
    root = node.getroottree().getroot()
    info = node.find(f"{_DS}SignedInfo")
    whole = False
    for item in info.iter(f"{_DS}SignatureMethod", f"{_DS}DigestMethod"):
        if any(name in (item.get("Algorithm") or "").lower() for name in _WEAK):
            raise _Refused(f"algorithme trop faible : {(item.get('Algorithm') or '').rpartition('#')[2]}")
    for reference in info.iterfind(f"{_DS}Reference"):
        names = [item.get("Algorithm") or "" for item in reference.iterfind(f"{_DS}Transforms/{_DS}Transform")]
        if odd := [name for name in names if name not in _TRANSFORMS]:
            raise _Refused(f"transformation non vérifiée : {odd[0]}")
        target = reference.get("URI")
        if target is None or (target and not target.startswith("#")):
            raise _Refused("référence externe : la signature porte sur un autre fichier")
        own = {root.get(name) for name in ("Id", "ID", "id")} - {None}
        inside = {item.get("Id") for item in node.iterfind(f"{_DS}Object")} if node is root else set()
        whole = whole or target == "" or target[1:] in own | inside
    return whole


def _own(verified: list[Any], certificate: bytes) -> None:
    """_Refused when the signed properties name another certificate (SigningCertificate, its first digest)."""
    import hashlib

    for part in _properties(verified):
        for digest in itertools.islice(part.iter(f"{_ETSI}CertDigest"), 1):
            algorithm = digest.find(f"{_DS}DigestMethod").get("Algorithm").rpartition("#")[2].replace("-", "_")
            if hashlib.new(algorithm, certificate).digest() != _bytes(digest.find(f"{_DS}DigestValue")):
                raise _Refused("le certificat joint n'est pas celui que la signature désigne")


def _properties(verified: list[Any]) -> Iterator[Any]:
    for result in verified:
        if result.signed_xml is not None and result.signed_xml.tag == f"{_ETSI}SignedProperties":
            yield result.signed_xml


def _claimed(verified: list[Any]) -> dt.datetime | None:
    for part in _properties(verified):
        text = part.findtext(f"{_ETSI}SignedSignatureProperties/{_ETSI}SigningTime")
        with contextlib.suppress(ValueError):
            return instant(dt.datetime.fromisoformat((text or "").strip()))
    return None


def _stamped(node: Any, proofs: Proofs, roots: Roots) -> dt.datetime | None:
    """The time of the first timestamp that holds over the value of the signature (EN 319 132-1 §5.3)."""
    from lxml import etree

    from checker.base import timestamp

    value = node.find(f"{_DS}SignatureValue")
    for stamp in itertools.islice(node.iter(f"{_ETSI}SignatureTimeStamp"), 4):
        method = stamp.find(f"{_DS}CanonicalizationMethod")
        form = "" if method is None else method.get("Algorithm") or ""
        with contextlib.suppress(Exception):  # a token that does not read holds nothing
            alone = etree.fromstring(etree.tostring(value, with_tail=False))
            signed = etree.tostring(alone, method="c14n", exclusive="exc-c14n" in form, with_comments=False)
            for token in _values(stamp, "EncapsulatedTimeStamp"):
                if at := timestamp.held(timestamp.parsed(token), signed, proofs, roots):
                    return at
    return None


def _leaf(inside: list[bytes]) -> tuple[bytes, list[bytes]]:
    """The signer's certificate, which issued none of the others, and the others."""
    from cryptography import x509

    if not inside:
        raise _Refused("la signature ne contient pas le certificat du signataire")
    loaded = [x509.load_der_x509_certificate(der) for der in inside]
    issuers = [item.issuer for item in loaded if item.issuer != item.subject]
    first = next((rank for rank, item in enumerate(loaded) if item.subject not in issuers), 0)
    return inside[first], inside[:first] + inside[first + 1 :]


def _values(node: Any, name: str) -> tuple[bytes, ...]:
    found = []
    for item in itertools.islice(node.iter(f"{{*}}{name}"), _MAX_PROOFS):
        with contextlib.suppress(binascii.Error):
            found.append(_bytes(item))
    return tuple(found)


def _bytes(node: Any) -> bytes:
    return base64.b64decode("".join((node.text or "").split()), validate=True)
