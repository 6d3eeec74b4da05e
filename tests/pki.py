"""A small PKI made at test time, its dates around March 2019, and what signs with it: PDF (pyhanko), XML (signxml).

Keys differ at each run; names, serial numbers and dates do not.
"""

from __future__ import annotations

import datetime as dt
import functools
import io
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

SIGNED = dt.datetime(2019, 3, 4, 9, 30, tzinfo=dt.UTC)
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def at(day: str) -> dt.datetime:
    return dt.datetime.fromisoformat(day).replace(tzinfo=dt.UTC)


@dataclass(frozen=True)
class Holder:
    """A certificate, its key and the certificates that go with it, its issuer first."""

    certificate: x509.Certificate
    key: Key
    chain: tuple[x509.Certificate, ...] = ()

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)


def issue(
    name: str,
    issuer: Holder | None = None,
    since: str = "2018-06-01",
    until: str = "2020-06-01",
    *,
    authority: bool = False,
    usage: str = "signature",
    serial: int = 0,
    organisation: str = "Département du Calvados",
    names: tuple[str, str] | None = None,
    key: Key | None = None,
) -> Holder:
    """A certificate; `usage`: signature, chiffrement, horodatage or ocsp; `names`: given name and surname."""
    if key is None:
        stamps = usage == "horodatage"  # the timestamper of the tests knows RSA only
        key = rsa.generate_private_key(65537, 2048) if stamps else ec.generate_private_key(ec.SECP256R1())
    parts = [(NameOID.COMMON_NAME, name), (NameOID.ORGANIZATION_NAME, organisation)]
    parts += list(zip((NameOID.GIVEN_NAME, NameOID.SURNAME), names, strict=True)) if names else []
    subject = x509.Name([x509.NameAttribute(kind, value) for kind, value in parts if value])
    by = issuer.certificate.subject if issuer else subject
    signs = usage != "chiffrement"
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by)
        .public_key(key.public_key())
        .serial_number(serial or sum(name.encode()) + 1000)
        .not_valid_before(at(since))
        .not_valid_after(at(until))
        .add_extension(x509.BasicConstraints(authority, None), critical=True)
        .add_extension(
            x509.KeyUsage(signs, signs and not authority, not signs, False, False, authority, authority, False, False),
            critical=True,
        )
    )
    if usage in ("horodatage", "ocsp"):
        kind = ExtendedKeyUsageOID.TIME_STAMPING if usage == "horodatage" else ExtendedKeyUsageOID.OCSP_SIGNING
        builder = builder.add_extension(x509.ExtendedKeyUsage([kind]), critical=True)
    signed = builder.sign(issuer.key if issuer else key, hashes.SHA256())
    return Holder(signed, key, (issuer.certificate, *issuer.chain) if issuer else ())


def crl(
    issuer: Holder, revoked: dict[int, str], issued: str = "2019-03-10", until: str = "2019-04-10", pem: bool = False
) -> bytes:
    """A revocation list: serial number -> day of revocation."""
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer.certificate.subject)
    builder = builder.last_update(at(issued)).next_update(at(until))
    for serial, day in revoked.items():
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(at(day)).build()
        builder = builder.add_revoked_certificate(entry)
    made = builder.sign(issuer.key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM if pem else serialization.Encoding.DER)


def answer(of: Holder, issuer: Holder, responder: Holder, revoked: str = "") -> bytes:
    """An OCSP answer of 10 March 2019."""
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert=of.certificate,
        issuer=issuer.certificate,
        algorithm=hashes.SHA1(),
        cert_status=ocsp.OCSPCertStatus.REVOKED if revoked else ocsp.OCSPCertStatus.GOOD,
        this_update=at("2019-03-10"),
        next_update=at("2019-03-17"),
        revocation_time=at(revoked) if revoked else None,
        revocation_reason=None,
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.NAME, responder.certificate)
    if responder is not issuer:
        builder = builder.certificates([responder.certificate])
    return builder.sign(responder.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


@functools.cache
def people() -> dict[str, Holder]:
    """The holders by name; `autre` is signed by a root that nobody gave, `perimee` expired on 31 December 2018."""
    root = issue("Racine de confiance", since="2015-01-01", until="2030-01-01", authority=True)
    middle = issue("Autorité des agents", root, "2016-01-01", "2028-01-01", authority=True)
    foreign = issue("Racine inconnue", since="2015-01-01", until="2030-01-01", authority=True)
    return {
        "racine": root,
        "autorite": middle,
        "inconnue": foreign,
        "signataire": issue("Amélie BRUN", middle),
        "nomme": issue("BRUN 2019 a1b2", middle, names=("Amélie", "BRUN")),
        "second": issue("Jean MODELE", middle, organisation=""),
        "perimee": issue("Amélie BRUN", middle, "2016-06-01", "2018-12-31", serial=77),
        "chiffrement": issue("Amélie BRUN", middle, usage="chiffrement", serial=78),
        "autre": issue("Amélie BRUN", foreign, serial=79),
        "horodatage": issue("Horodatage", root, "2017-01-01", "2027-01-01", usage="horodatage"),
        "repondeur": issue("Répondeur OCSP", middle, "2017-01-01", "2027-01-01", usage="ocsp"),
    }


def asn1(certificate: x509.Certificate) -> Any:
    from asn1crypto import x509 as asn1_x509

    return asn1_x509.Certificate.load(certificate.public_bytes(serialization.Encoding.DER))


def _key(holder: Holder) -> Any:
    from asn1crypto import keys

    form = (serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return keys.PrivateKeyInfo.load(holder.key.private_bytes(*form))


def author(who: Holder, embed: bool = True) -> Any:
    """What makes the CMS of a signature, with the certificates above the signer's but the root."""
    from pyhanko.sign import signers
    from pyhanko_certvalidator.registry import SimpleCertificateStore

    store = SimpleCertificateStore()
    store.register_multiple(asn1(item) for item in (who.chain[:-1] if embed else ()))
    return signers.SimpleSigner(signing_cert=asn1(who.certificate), signing_key=_key(who), cert_registry=store)


def sign(
    data: bytes,
    who: Holder,
    field: str = "Signature1",
    when: dt.datetime = SIGNED,
    *,
    box: tuple[int, int, int, int] | None = None,
    stamp: tuple[Holder, dt.datetime] | None = None,
    embed: bool = True,
    certify: bool = False,
    digest: str = "sha256",
    password: str | None = None,
) -> bytes:
    """An incremental update that signs a PDF; `stamp`: an authority and its time; `certify`: no change is permitted."""
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import fields, signers
    from pyhanko.sign.timestamps.dummy_client import DummyTimeStamper

    signer = author(who, embed)
    stamper = None
    if stamp:
        by, moment = stamp
        stamper = DummyTimeStamper(asn1(by.certificate), _key(by), fixed_dt=moment)
    meta = signers.PdfSignatureMetadata(
        field_name=field,
        md_algorithm=digest,
        certify=certify,
        docmdp_permissions=fields.MDPPerm.NO_CHANGES if certify else fields.MDPPerm.FILL_FORMS,
    )
    spec = fields.SigFieldSpec(field, on_page=0, box=box)

    class Dated(signers.PdfSigner):
        def init_signing_session(self, *arguments: Any, **options: Any) -> Any:
            session = super().init_signing_session(*arguments, **options)
            session.system_time = when
            return session

    writer = Dated(meta, signer, timestamper=stamper, new_field_spec=spec)
    out = io.BytesIO()
    update = IncrementalPdfFileWriter(io.BytesIO(data))
    if password is not None:
        update.encrypt(password)
    writer.sign_pdf(update, output=out)
    return out.getvalue()


def store(data: bytes, *, crls: tuple[bytes, ...] = (), ocsps: tuple[bytes, ...] = ()) -> bytes:
    """An incremental update that adds proofs of validity to a PDF (its security store)."""
    from asn1crypto import crl as asn1_crl
    from asn1crypto import ocsp as asn1_ocsp
    from pyhanko.sign.validation import DocumentSecurityStore

    out = io.BytesIO(data)
    DocumentSecurityStore.add_dss(
        out,
        sig_contents=None,
        certs=(),
        crls=[asn1_crl.CertificateList.load(item) for item in crls],
        ocsps=[asn1_ocsp.OCSPResponse.load(item) for item in ocsps],
    )
    return out.getvalue()


def sign_xml(data: bytes, who: Holder, when: dt.datetime = SIGNED, signer: Any = None, **options: Any) -> bytes:
    """An enveloped XAdES signature at the end of the root element."""
    from cryptography.hazmat.primitives import serialization as form
    from lxml import etree
    from signxml import SignatureConstructionMethod
    from signxml.xades import XAdESSigner

    class Dated(XAdESSigner):
        def add_signing_time(self, properties: Any, sig_root: Any, signing_settings: Any) -> None:
            super().add_signing_time(properties, sig_root, signing_settings)
            properties[-1].text = when.isoformat()

    private = who.key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
    made = (signer or Dated)(
        method=SignatureConstructionMethod.enveloped,
        signature_algorithm="ecdsa-sha256",
        digest_algorithm="sha256",
    )
    signed = made.sign(
        etree.fromstring(data),
        key=private,
        cert=[who.certificate, *who.chain[:-1]],
        always_add_key_value=False,
        **options,
    )
    return etree.tostring(signed, xml_declaration=True, encoding="UTF-8")
