"""One electronic signature as a row of `signature_lue`: four facts apart, integrity, coverage, trust, revocation."""

from __future__ import annotations

import datetime as dt
from typing import Final

from checker.base import certificates
from checker.base.certificates import Proofs, Roots
from checker.model import Place, Row, Value

MAX_SIGNATURES: Final = 32  # of a piece; above, one more row says that the others were not read
MISSING: Final = "le lecteur de signatures manque : installer quitus[signature]"
TOO_MANY: Final = f"plus de {MAX_SIGNATURES} signatures : les suivantes n'ont pas été lues"
WEAK: Final = frozenset({"md2", "md4", "md5", "sha1"})
_FACTS: Final = (
    "signataire organisation date integre couvre_tout modifie_apres de_confiance certificat_valide revoque".split()
)


def blank(place: Place, nature: str, form: str, field: str, fault: str | None = None) -> Row:
    """A signature of which nothing is known yet, or nothing can be (`fault`). `form`: pades or xades."""
    row = dict.fromkeys(_FACTS, Value(None, place, fault))
    known = {"fichier": place.file, "nature": nature, "format": form, "champ": field}
    return {name: Value(text or None, place) for name, text in known.items()} | row


def flag(value: bool | None, place: Place) -> Value:
    """Yes, no or unknown."""
    return Value(None if value is None else "true" if value else "false", place)


def instant(moment: dt.date | None) -> dt.datetime | None:
    """A moment with its time zone: a time without one is UTC, a day its noon."""
    if moment is None:
        return None
    if not isinstance(moment, dt.datetime):
        return dt.datetime(moment.year, moment.month, moment.day, 12, tzinfo=dt.UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def signer(row: Row, der: bytes, place: Place) -> None:
    """Fill who signed: given name and surname when the certificate has both, else its common name."""
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    subject = x509.load_der_x509_certificate(der).subject

    def named(*kinds: x509.ObjectIdentifier) -> str:
        found = [[item.value for item in subject.get_attributes_for_oid(kind)] for kind in kinds]
        return " ".join(str(item[0]) for item in found).strip() if all(found) else ""

    name = named(NameOID.GIVEN_NAME, NameOID.SURNAME) or named(NameOID.COMMON_NAME)
    row["signataire"] = Value(name or None, place, None if name else "le certificat ne nomme personne")
    row["organisation"] = Value(named(NameOID.ORGANIZATION_NAME) or None, place)


def judged(row: Row, der: bytes, proofs: Proofs, roots: Roots, at: dt.datetime | None, place: Place) -> None:
    """Fill `de_confiance`, `certificat_valide` and `revoque` at the time of the signature (`at`; None: not known)."""
    columns = ("de_confiance", "certificat_valide", "revoque")
    if at is None:
        row.update(dict.fromkeys(columns, Value(None, place, "la signature ne dit pas sa date")))
        return
    try:
        found = certificates.judge(der, proofs, roots, at)
    except Exception as error:  # what a hostile certificate causes, in whatever library
        fault = f"le certificat du signataire est illisible ({type(error).__name__})"
        row.update(dict.fromkeys(columns, Value(None, place, fault)))
        return
    row.update(zip(columns, (flag(item, place) for item in found), strict=True))


def day(at: dt.datetime) -> str:
    """The legal day in Paris of a moment, AAAA-MM-JJ."""
    from zoneinfo import ZoneInfo

    return at.astimezone(ZoneInfo("Europe/Paris")).date().isoformat()
