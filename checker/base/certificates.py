"""Certificates: does one go up to a trusted root, was it valid, was it revoked, at a moment. Three answers, never one.

All from bytes at hand (DER): nothing is fetched, no clock is read. Candidate chains are found here within bounds, each
is checked by pyhanko-certvalidator (RFC 5280 §6.1; MD5 and SHA-1 refused).
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Coroutine, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from checker.base.revocation import Evidence, issued
from checker.model import Fault
from checker.model.frozen import frozen

if TYPE_CHECKING:
    from cryptography import x509

_MAX_OTHERS: Final = 64  # certificates, lists or answers taken from one signature
_MAX_LINKS: Final = 256  # signatures of certificates verified for one chain
_MAX_DEPTH: Final = 8
_MAX_CHAINS: Final = 16


class Root(NamedTuple):
    """A certificate to trust, in DER; `start` and `end`: when a trust list grants it (None: without limit)."""

    der: bytes
    start: dt.datetime | None = None
    end: dt.datetime | None = None


@frozen
class Roots:
    """What the user trusts. `crls`: revocation lists in DER. `faults`: files that could not be used, and why."""

    certificates: tuple[Root, ...] = ()
    crls: tuple[bytes, ...] = ()
    faults: tuple[Fault, ...] = ()


class Proofs(NamedTuple):
    """What comes with a signature, in DER: other certificates, revocation lists, OCSP answers."""

    certificates: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()
    ocsps: tuple[bytes, ...] = ()


class Judged(NamedTuple):
    """None: unknown. `trusted` leaves the validity and revocation of the judged certificate itself to the others."""

    trusted: bool | None
    valid: bool
    revoked: bool | None


def judge(der: bytes, proofs: Proofs, roots: Roots, at: dt.datetime, stamping: bool = False) -> Judged:
    """Judge a signer's certificate (a timestamping authority's with `stamping`) at `at`; ValueError when unreadable.

    `trusted`: unknown without root; true when a chain leads from the certificate, by those of `proofs`, to a root that
    is granted at `at`, each link valid (and no authority known as revoked) then, and its key may sign. Out of its own
    validity, the chain is looked at on the nearest day of that validity. `valid`: `at` is inside its validity.
    `revoked`: by an answer or a list signed by its issuer; false only when one covers that certificate at `at` (issued
    at `at` or later, or fresh then).
    """
    from cryptography import x509

    certificate = x509.load_der_x509_certificate(der)
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    inside = min(max(at, start), end)
    anchors = list(_loaded(root.der for root in roots.certificates if _granted(root, at)))
    others = list(_loaded((*proofs.certificates[:_MAX_OTHERS], *(root.der for root in roots.certificates))))
    chains = _chains(certificate, others, anchors)
    evidence = Evidence((*proofs.crls[:_MAX_OTHERS], *roots.crls), proofs.ocsps[:_MAX_OTHERS])
    trusted: bool | None = None
    if roots.certificates:
        trusted = _may_sign(certificate, stamping) and any(
            chain[-1] in anchors
            and _holds(chain, inside)
            and not any(evidence.revoked(low, high, at) for low, high in itertools.pairwise(chain[1:]))
            for chain in chains
        )
    issuers = {chain[1] for chain in chains if len(chain) > 1}
    answers = {evidence.revoked(certificate, issuer, at) for issuer in issuers}
    return Judged(trusted, start <= at <= end, True if True in answers else False if False in answers else None)


NO_ROOTS: Final = Roots()


def _granted(root: Root, at: dt.datetime) -> bool:
    return (root.start is None or root.start <= at) and (root.end is None or at < root.end)


def _loaded(ders: Iterable[bytes]) -> Iterator[x509.Certificate]:
    from cryptography import x509

    for der in ders:
        try:
            yield x509.load_der_x509_certificate(der)
        except ValueError:
            continue  # a chain that needs it is not found


def _chains(
    leaf: x509.Certificate, others: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate]
) -> list[list[x509.Certificate]]:
    """Chains from the leaf upwards, to an anchor or as far as they go; bounded, whatever the certificates."""
    pool = list(dict.fromkeys([*anchors, *others]))
    done: list[list[x509.Certificate]] = []
    waiting = [[leaf]]
    left = _MAX_LINKS
    while waiting and len(done) < _MAX_CHAINS:
        chain = waiting.pop()
        if chain[-1] in anchors:
            done.append(chain)
            if len(chain) > 1 or chain[-1].subject == chain[-1].issuer:
                continue
        longer = []
        for candidate in pool if len(chain) < _MAX_DEPTH else ():
            if candidate.subject == chain[-1].issuer and candidate not in chain and left > 0:
                left -= 1
                if issued(chain[-1], candidate):
                    longer.append([*chain, candidate])
        waiting.extend(reversed(longer))  # anchors come first
        if not longer and chain[-1] not in anchors:
            done.append(chain)
    return done


def _may_sign(certificate: x509.Certificate, stamping: bool) -> bool:
    """Key usage digitalSignature or nonRepudiation, or none said; for a timestamp, the usage timeStamping alone."""
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID

    try:
        extensions = certificate.extensions
    except ValueError:
        return False
    for extension in extensions:
        value = extension.value
        if isinstance(value, x509.KeyUsage) and not (value.digital_signature or value.content_commitment):
            return False
    usages = [extension.value for extension in extensions if isinstance(extension.value, x509.ExtendedKeyUsage)]
    return not stamping or any(ExtendedKeyUsageOID.TIME_STAMPING in usage for usage in usages)


def _holds(chain: Sequence[x509.Certificate], at: dt.datetime) -> bool:
    """Whether RFC 5280 accepts the chain (leaf first, anchor last) at `at`."""
    from asn1crypto import x509 as asn1
    from cryptography.hazmat.primitives.serialization import Encoding
    from pyhanko_certvalidator import ValidationContext
    from pyhanko_certvalidator.authority import CertTrustAnchor
    from pyhanko_certvalidator.path import ValidationPath
    from pyhanko_certvalidator.validate import async_validate_path

    if len(chain) == 1:
        return True  # the user trusts this very certificate
    leaf, *middle, anchor = [asn1.Certificate.load(item.public_bytes(Encoding.DER)) for item in chain]
    context = ValidationContext(trust_roots=[anchor], moment=at, allow_fetching=False, revocation_mode="soft-fail")
    path = ValidationPath(CertTrustAnchor(anchor), middle[::-1], leaf)
    expired = not chain[-1].not_valid_before_utc <= at <= chain[-1].not_valid_after_utc
    try:
        _run(async_validate_path(context, path))
    except Exception:  # PathValidationError, and whatever a malformed extension causes
        return False
    return not expired


def _run(coroutine: Coroutine[Any, Any, Any]) -> None:
    """Run what awaits nothing: no event loop, so no socket; RuntimeError when it would wait."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    coroutine.close()
    raise RuntimeError("rien n'est attendu hors ligne")
