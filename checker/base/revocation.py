"""Revocation: was a certificate revoked at a moment, by the lists (RFC 5280 §5) and OCSP answers (RFC 6960) at hand.

All in DER; nothing is fetched, no clock is read. What is signed with MD5 or SHA-1 proves nothing here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from cryptography import x509

_MAX_RESPONDERS: Final = 8
_WEAK: Final = frozenset({"md2", "md5", "sha1"})


class Evidence:
    """Revocation lists and answers at hand, read once."""

    def __init__(self, crls: Iterable[bytes], ocsps: Iterable[bytes]) -> None:
        from cryptography import x509
        from cryptography.x509 import ocsp

        self.crls: list[x509.CertificateRevocationList] = []
        self.answers: list[ocsp.OCSPResponse] = []
        for der in crls:
            try:
                self.crls.append(x509.load_der_x509_crl(der))
            except ValueError:
                continue  # what it says stays unknown
        for der in ocsps:
            try:
                answer = ocsp.load_der_ocsp_response(der)
            except ValueError:
                continue
            if answer.response_status is ocsp.OCSPResponseStatus.SUCCESSFUL:
                self.answers.append(answer)

    def revoked(self, certificate: x509.Certificate, issuer: x509.Certificate, at: dt.datetime) -> bool | None:
        """True, or false when at hand is what proves it, else None."""
        known: bool | None = None
        try:
            for said in (*self._by_list(certificate, issuer, at), *self._by_answer(certificate, issuer, at)):
                if said:
                    return True
                known = False if said is False else known
        except Exception:  # extensions of a hostile list are parsed late
            return None
        return known

    def _by_list(
        self, certificate: x509.Certificate, issuer: x509.Certificate, at: dt.datetime
    ) -> Iterator[bool | None]:
        for crl in self.crls:
            if crl.issuer != certificate.issuer or not _signed(crl, issuer):
                continue
            entry = crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
            if entry is not None:
                yield _since(entry) <= at
            elif _complete(crl, certificate) and _covers(crl.last_update_utc, crl.next_update_utc, certificate, at):
                yield False

    def _by_answer(
        self, certificate: x509.Certificate, issuer: x509.Certificate, at: dt.datetime
    ) -> Iterator[bool | None]:
        from cryptography.x509 import ocsp

        for answer in self.answers:
            for single in answer.responses:
                if single.serial_number != certificate.serial_number or not _about(single, issuer):
                    continue
                if not _answered(answer, issuer):
                    continue
                if single.certificate_status is ocsp.OCSPCertStatus.REVOKED and single.revocation_time_utc:
                    yield single.revocation_time_utc <= at
                elif single.certificate_status is ocsp.OCSPCertStatus.GOOD:
                    yield False if _covers(single.this_update_utc, single.next_update_utc, certificate, at) else None


def issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the issuer's name and key are those that signed the certificate."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except Exception:  # InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError: whatever a hostile key causes
        return False
    return True


def _signed(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    weak = crl.signature_hash_algorithm is None or crl.signature_hash_algorithm.name in _WEAK
    return not weak and crl.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]


def _since(entry: x509.RevokedCertificate) -> dt.datetime:
    """When the certificate stopped being good: a compromise may be dated before its revocation (RFC 5280 §5.3.2)."""
    from cryptography import x509

    for extension in entry.extensions:
        if isinstance(extension.value, x509.InvalidityDate):
            return min(entry.revocation_date_utc, extension.value.invalidity_date_utc)
    return entry.revocation_date_utc


def _complete(crl: x509.CertificateRevocationList, certificate: x509.Certificate) -> bool:
    """Whether a list that does not name the certificate says that it is not revoked: neither delta nor partial."""
    from cryptography import x509

    authority = any(isinstance(item.value, x509.BasicConstraints) and item.value.ca for item in certificate.extensions)
    for extension in crl.extensions:
        value = extension.value
        if isinstance(value, x509.IssuingDistributionPoint):
            other = value.only_contains_user_certs if authority else value.only_contains_ca_certs
            if other or value.only_contains_attribute_certs or value.only_some_reasons or value.indirect_crl:
                return False
            if value.full_name and not set(value.full_name) & _points(certificate):
                return False
        elif extension.critical:
            return False
    return True


def _points(certificate: x509.Certificate) -> set[x509.GeneralName]:
    from cryptography import x509

    return {
        name
        for item in certificate.extensions
        if isinstance(item.value, x509.CRLDistributionPoints)
        for point in item.value
        for name in point.full_name or ()
    }


def _covers(issued: dt.datetime, until: dt.datetime | None, certificate: x509.Certificate, at: dt.datetime) -> bool:
    """Issued after `at` while the certificate had not expired (expired ones leave the lists), or fresh at `at`."""
    if issued >= at:
        return issued <= certificate.not_valid_after_utc
    return until is not None and at <= until


def _about(single: Any, issuer: x509.Certificate) -> bool:
    """Whether an OCSP answer is about a certificate of this issuer: the digests of its name and key."""
    from cryptography.hazmat.primitives.hashes import Hash
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    from cryptography.x509 import SubjectKeyIdentifier

    def digest(data: bytes) -> bytes:
        hashed = Hash(single.hash_algorithm)
        hashed.update(data)
        return hashed.finalize()

    name = digest(issuer.subject.public_bytes())
    if single.hash_algorithm.name == "sha1":
        key = SubjectKeyIdentifier.from_public_key(issuer.public_key()).digest
    else:
        from asn1crypto import keys

        info = issuer.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        key = digest(bytes(keys.PublicKeyInfo.load(info)["public_key"]))
    return bool(single.issuer_name_hash == name and single.issuer_key_hash == key)


def _answered(answer: Any, issuer: x509.Certificate) -> bool:
    """Whether the issuer, or a responder that it certified for that (RFC 6960 §4.2.2.2), signed the answer."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
    from cryptography.x509.oid import ExtendedKeyUsageOID

    algorithm = answer.signature_hash_algorithm
    if algorithm is None or algorithm.name in _WEAK:
        return False
    signers = [issuer]
    for candidate in answer.certificates[:_MAX_RESPONDERS]:
        usages = [item.value for item in candidate.extensions if isinstance(item.value, x509.ExtendedKeyUsage)]
        valid = candidate.not_valid_before_utc <= answer.produced_at_utc <= candidate.not_valid_after_utc
        if valid and any(ExtendedKeyUsageOID.OCSP_SIGNING in usage for usage in usages):
            signers += [candidate] if issued(candidate, issuer) else []
    for signer in signers:
        key = signer.public_key()
        try:
            if isinstance(key, rsa.RSAPublicKey):
                key.verify(answer.signature, answer.tbs_response_bytes, padding.PKCS1v15(), algorithm)
            elif isinstance(key, ec.EllipticCurvePublicKey):
                key.verify(answer.signature, answer.tbs_response_bytes, ec.ECDSA(algorithm))
            else:
                continue
        except Exception:  # InvalidSignature and whatever a hostile key causes
            continue
        return True
    return False
