"""A report under a detached signature: an in-toto statement in a DSSE envelope, signed by Ed25519.

Sources: in-toto Attestation Framework, Statement v1 (`_type`, `subject`, `predicateType`, `predicate`); DSSE v1.0.2,
`protocol.md` (PAE, base64 standard or URL-safe, `keyid` a hint that nothing guarantees) and `envelope.md`; RFC 8032.
The only subject is the report: whoever holds a piece must not read the signature as one of that piece. The pieces, the
packs and the settings are in the predicate. Ed25519 draws nothing: the same report and key have the same envelope.
The door of `cryptography` for reports. Needs the extra `signature`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast

from checker.errors import Problem, UsageError
from checker.reports.inert import inert
from checker.reports.saved import Report

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

    PrivateKey: TypeAlias = Ed25519PrivateKey  # for those who hold a key and know no `cryptography`

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "urn:quitus:report:1"
_MAKE = (
    "En faire une : openssl genpkey -algorithm ed25519 -out cle.pem ; openssl pkey -in cle.pem -pubout -out cle.pub."
)


class Locked(Exception):
    """The key is encrypted: it needs a passphrase."""


class Sign(Enum):
    """What is known of a signature."""

    GOOD = "good"
    BAD = "bad"
    OTHER = "other"  # its `keyid` names another key; nothing guarantees it


class Checked(NamedTuple):
    """A signature looked at. `signers`: the keys that the envelope names; `digests`: subject -> SHA-256 (of GOOD)."""

    sign: Sign
    key: str
    signers: tuple[str, ...]
    digests: Mapping[str, str]


def pae(kind: str, payload: bytes) -> bytes:
    """What is signed: `"DSSEv1" SP LEN(type) SP type SP LEN(payload) SP payload`."""
    name = kind.encode()
    return b"DSSEv1 %d %b %d %b" % (len(name), name, len(payload), payload)


def statement(name: str, data: bytes, report: Report | None, version: str) -> bytes:
    """What is said of a report: its bytes, and what it rests on when it is a JSON report."""
    predicate: dict[str, Any] = {"tool": {"name": "quitus", "version": version}}
    if report is not None:
        predicate |= {
            "decision": report.decision,
            "packs": [{"name": f"{pack.id} {pack.version}", "digest": _digest(pack.sha256)} for pack in report.packs],
            "settings": report.settings and _named(report.settings.path, report.settings.sha256),
            "dossiers": [
                {
                    "reference": item.reference,
                    "path": item.path,
                    "decision": item.decision,
                    "files": [_named(path, sha256) for path, sha256 in sorted(item.files.items())],
                }
                for item in report.dossiers
            ],
        }
    subject = [_named(name, hashlib.sha256(data).hexdigest())]
    said = {"_type": STATEMENT, "subject": subject, "predicateType": PREDICATE, "predicate": predicate}
    return json.dumps(said, separators=(",", ":")).encode()


def _named(name: str, sha256: str) -> dict[str, Any]:
    return {"name": name, "digest": _digest(sha256)}


def _digest(sha256: str) -> dict[str, str]:
    return {"sha256": sha256}


# Keys


def private_key(data: bytes, name: str, password: bytes | None = None) -> Ed25519PrivateKey:
    """The key of a PEM file (PKCS#8, as openssl writes it); Locked: it needs a passphrase; UsageError: no such key."""
    serialization, ed25519, unsupported = _library()
    if b"PRIVATE KEY" not in data:
        raise _refused(name, "ce n'est pas une clé privée au format PEM")
    try:
        key = serialization.load_pem_private_key(data, password)
    except TypeError:  # a passphrase is missing, or is one too many
        if password is None:
            raise Locked from None
        return private_key(data, name)
    except (ValueError, unsupported):
        why = "elle ne peut être lue : fichier abîmé, type inconnu" + (
            " ou mauvaise phrase secrète" if password else ""
        )
        raise _refused(name, why) from None
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        raise _refused(name, f"une clé Ed25519 est attendue, celle-ci est de type {_kind(key)}")
    return cast("Ed25519PrivateKey", key)


def public_key(data: bytes, name: str) -> Ed25519PublicKey:
    """The key of a PEM file; UsageError: it is no Ed25519 public key."""
    serialization, ed25519, unsupported = _library()
    if b"PRIVATE KEY" in data:
        raise _refused(name, "c'est une clé privée : elle ne se donne à personne, la clé publique est attendue")
    try:
        key = serialization.load_pem_public_key(data)
    except (ValueError, TypeError, unsupported):
        raise _refused(name, "ce n'est pas une clé publique au format PEM") from None
    if not isinstance(key, ed25519.Ed25519PublicKey):
        raise _refused(name, f"une clé Ed25519 est attendue, celle-ci est de type {_kind(key)}")
    return cast("Ed25519PublicKey", key)


def _library() -> tuple[Any, Any, type[Exception]]:
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError:
        what = "signer un rapport a besoin de la bibliothèque cryptography"
        raise UsageError([Problem(what, todo="Installer quitus[signature].")]) from None
    return serialization, ed25519, UnsupportedAlgorithm


def _kind(key: object) -> str:
    name = type(key).__name__.lstrip("_")
    return name.removesuffix("PrivateKey").removesuffix("PublicKey")


def _refused(name: str, why: str) -> UsageError:
    return UsageError([Problem("cette clé ne peut servir", name, why=why, todo=_MAKE)])


def fingerprint(key: Ed25519PublicKey) -> str:
    """The `keyid`: SHA-256 of the key as `openssl pkey -pubin -outform DER` writes it (SubjectPublicKeyInfo)."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


# Envelopes


def signed(payload: bytes, key: Ed25519PrivateKey) -> bytes:
    """The envelope of a statement."""
    signature = base64.b64encode(key.sign(pae(PAYLOAD_TYPE, payload))).decode()
    return _text(
        {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"keyid": fingerprint(key.public_key()), "sig": signature}],
        }
    )


def _text(envelope: dict[str, Any]) -> bytes:
    return (json.dumps(envelope, indent=2) + "\n").encode()


def checked(data: bytes, name: str, key: Ed25519PublicKey) -> Checked:
    """What is known of the signature in that envelope; UsageError (64): it is no envelope of ours."""
    from cryptography.exceptions import InvalidSignature

    try:
        found = json.loads(data)
        kind = found["payloadType"]
        payload = _decoded(found["payload"])
        listed = [(_decoded(item["sig"]), str(item.get("keyid") or "")) for item in found["signatures"]]
        signable = pae(kind, payload)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise _no_envelope(name, "ce n'est pas une enveloppe DSSE") from None
    if kind != PAYLOAD_TYPE or not listed:
        raise _no_envelope(name, f"elle contient « {inert(kind, 60)} »" if listed else "rien n'y est signé")
    own, signers = fingerprint(key), tuple(keyid for _, keyid in listed)
    for signature, _ in listed:
        try:
            key.verify(signature, signable)
        except InvalidSignature:
            continue
        return Checked(Sign.GOOD, own, signers, _subjects(payload, name))
    other = all(keyid and keyid != own for keyid in signers)
    return Checked(Sign.OTHER if other else Sign.BAD, own, signers, {})


def _subjects(payload: bytes, name: str) -> dict[str, str]:
    """The subjects of a statement whose signature is good."""
    try:
        said = json.loads(payload)
        if said["_type"] != STATEMENT or said["predicateType"] != PREDICATE:
            raise _no_envelope(name, "ce qui est signé n'est pas la déclaration d'un rapport de quitus")
        return {str(item["name"]): str(item["digest"]["sha256"]) for item in said["subject"]}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise _no_envelope(name, "ce qui est signé n'est pas une déclaration in-toto") from None


def _decoded(text: str) -> bytes:
    """Base64, standard or URL-safe, as DSSE asks of whoever verifies."""
    try:
        return base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except binascii.Error:
        raise ValueError(text[:20]) from None


def _no_envelope(name: str, why: str) -> UsageError:
    return UsageError([Problem("cette signature ne peut être lue", name, why=why)])
