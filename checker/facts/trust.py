"""The roots that a user trusts: a folder -> Roots. Offline; what cannot be used is a fault, never passed over.

The folder (not its subfolders) holds certificates (`.pem .crt .cer .der`, each trusted as it stands, authorities and
signers alike), revocation lists (`.crl`) and trust lists (`.xml`, ETSI TS 119 612; the user vouches for the list, its
own signature is not checked). Other names are left alone.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from xml.etree import ElementTree
from xml.parsers import expat

from checker.base.certificates import Root, Roots
from checker.model import Fault, Place

__all__ = ["Root", "Roots", "load"]

MAX_FILES: Final = 500
MAX_BYTES: Final = 20 * 2**20  # of a file
MAX_TOTAL: Final = 100 * 2**20  # of the folder
MAX_CERTIFICATES: Final = 10_000
_CERTIFICATES: Final = (".pem", ".crt", ".cer", ".der")
_PEM: Final = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----\s*([A-Za-z0-9+/=\s]*?)-----END \1-----")
_TSL: Final = "{http://uri.etsi.org/02231/v2#}"
_TYPES: Final = ("/CA/QC", "/CA/PKC", "/NationalRootCA-QC", "/TSA/QTST", "/TSA/TSS-QC", "/TSA")
_GRANTED: Final = frozenset(
    "granted recognisedatnationallevel undersupervision supervisionincessation accredited setbynationallaw".split()
)

Granted = tuple[dt.datetime | None, dt.datetime | None]


class _Refused(Exception):
    """Why a file cannot be used, in French."""


def load(folder: Path) -> Roots:
    """What a folder of roots holds, in the order of its names; every doubt is a fault of `Roots.faults`."""
    certificates: dict[Root, None] = {}
    crls: dict[bytes, None] = {}
    faults: list[Fault] = []
    total = 0
    try:
        names = sorted(item.name for item in os.scandir(folder) if item.is_file())
    except OSError:
        return Roots(faults=(_fault("le dossier des racines est introuvable ou ne peut pas être lu", folder.name),))
    known = [name for name in names if Path(name).suffix.lower() in (*_CERTIFICATES, ".crl", ".xml")]
    for name in known[:MAX_FILES]:
        try:
            data = _read(folder / name)
            total += len(data)
            if total > MAX_TOTAL:
                raise _Refused(f"le dossier des racines dépasse {MAX_TOTAL // 2**20} Mo : ce fichier n'est pas lu")
            suffix = Path(name).suffix.lower()
            if suffix == ".crl":
                crls.update(dict.fromkeys(_lists(data)))
            else:
                found = _trust_list(data) if suffix == ".xml" else [Root(der) for der in _certificates(data)]
                certificates.update(dict.fromkeys(found))
            if len(certificates) > MAX_CERTIFICATES:
                raise _Refused(f"plus de {MAX_CERTIFICATES} certificats : les suivants ne sont pas lus")
        except _Refused as error:
            faults.append(_fault(str(error), name))
    if len(known) > MAX_FILES:
        faults.append(_fault(f"plus de {MAX_FILES} fichiers : les suivants ne sont pas lus", known[MAX_FILES]))
    if not certificates and not faults:
        faults.append(_fault("le dossier des racines ne contient aucun certificat", folder.name))
    return Roots(tuple(certificates)[:MAX_CERTIFICATES], tuple(crls), tuple(faults))


def _fault(what: str, name: str) -> Fault:
    return Fault(
        what, Place(name), todo="Corriger ou retirer ce fichier du dossier des racines (`racines`, `--roots`)."
    )


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError:
        raise _Refused("le fichier ne peut pas être lu") from None
    if len(data) > MAX_BYTES:
        raise _Refused(f"le fichier dépasse {MAX_BYTES // 2**20} Mo")
    return data


def _blocks(data: bytes, label: bytes) -> list[bytes]:
    """The DER of each PEM block of that label; the bytes themselves when there is no PEM."""
    if b"-----BEGIN" not in data:
        return [data]
    try:
        return [
            base64.b64decode(b"".join(item[2].split()), validate=True)
            for item in _PEM.finditer(data)
            if item[1] == label
        ]
    except binascii.Error:
        raise _Refused("le bloc PEM est endommagé") from None


def _certificates(data: bytes) -> list[bytes]:
    from cryptography import x509

    blocks = _blocks(data, b"CERTIFICATE")
    try:
        for der in blocks:
            x509.load_der_x509_certificate(der)
    except ValueError:
        raise _Refused("le certificat est illisible") from None
    if not blocks:
        raise _Refused("le fichier ne contient pas de certificat")
    return blocks


def _lists(data: bytes) -> list[bytes]:
    from cryptography import x509

    blocks = _blocks(data, b"X509 CRL")
    try:
        for der in blocks:
            x509.load_der_x509_crl(der)
    except ValueError:
        raise _Refused("la liste de révocation est illisible") from None
    if not blocks:
        raise _Refused("le fichier ne contient pas de liste de révocation")
    return blocks


def _trust_list(data: bytes) -> list[Root]:
    """The certificates of the services of certification and timestamping, with the time when each is granted."""
    _plain(data)
    try:
        tree = ElementTree.fromstring(data)
    except (ElementTree.ParseError, ValueError, LookupError):
        raise _Refused("le XML est endommagé") from None
    if tree.tag != f"{_TSL}TrustServiceStatusList":
        raise _Refused("ce XML n'est pas une liste de confiance (ETSI TS 119 612)")
    found = [root for service in tree.iter(f"{_TSL}TSPService") for root in _service(service)]
    if not found:
        raise _Refused("la liste de confiance ne contient aucun certificat accordé")
    return found


def _plain(data: bytes) -> None:
    """Refuse a DOCTYPE before any tree is built: no entity, nothing fetched."""

    def doctype(*_: object) -> None:
        raise _Refused("XML refusé : il déclare un DOCTYPE")

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError, LookupError):
        raise _Refused("le XML est endommagé") from None


def _service(service: ElementTree.Element) -> Iterator[Root]:
    from cryptography import x509

    now = service.find(f"{_TSL}ServiceInformation")
    if now is None or not (now.findtext(f"{_TSL}ServiceTypeIdentifier") or "").strip().endswith(_TYPES):
        return
    periods = list(_periods([now, *service.iterfind(f"{_TSL}ServiceHistory/{_TSL}ServiceHistoryInstance")]))
    for node in now.iterfind(f"{_TSL}ServiceDigitalIdentity/{_TSL}DigitalId/{_TSL}X509Certificate"):
        try:
            der = base64.b64decode("".join((node.text or "").split()), validate=True)
            x509.load_der_x509_certificate(der)
        except ValueError:
            continue  # foreign lists hold odd certificates: nothing is trusted for them
        for start, end in periods:
            yield Root(der, start, end)


def _periods(states: list[ElementTree.Element]) -> Iterator[Granted]:
    """From the current state and those before it: the periods during which the service is granted."""
    dated: list[tuple[dt.datetime, bool]] = []
    for state in states:
        status = (state.findtext(f"{_TSL}ServiceStatus") or "").strip().rpartition("/")[2].lower()
        try:
            start = dt.datetime.fromisoformat((state.findtext(f"{_TSL}StatusStartingTime") or "").strip())
        except ValueError:
            continue
        dated.append((start if start.tzinfo else start.replace(tzinfo=dt.UTC), status in _GRANTED))
    dated.sort(key=lambda item: item[0])
    for index, (start, granted) in enumerate(dated):
        if granted:
            yield start, dated[index + 1][0] if index + 1 < len(dated) else None
