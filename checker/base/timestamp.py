"""A timestamp token (RFC 3161) over some bytes: does it hold, and what time does it say. Nothing is fetched."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any

from checker.base.certificates import Proofs, Roots, judge
from checker.base.signature import WEAK


def parsed(token: bytes) -> Any:
    """The signed data of a token in DER; ValueError when it is none."""
    from asn1crypto import cms

    return cms.ContentInfo.load(token)["content"]


def held(token: Any, stamped: bytes, proofs: Proofs, roots: Roots) -> dt.datetime | None:
    """The time of a token (its signed data) over `stamped`, or None when it does not hold; it may raise when damaged.

    It holds when its imprint is that of the bytes, its authority signed it (no MD5, no SHA-1), with a certificate for
    timestamps only, valid and not known as revoked then, and trusted when roots are given.
    """
    from pyhanko.sign.general import extract_signer_info
    from pyhanko.sign.validation.generic_cms import extract_certs_for_validation, validate_sig_integrity

    content = token["encap_content_info"]["content"]
    info = content.parsed
    imprint, author = info["message_imprint"], extract_signer_info(token)
    imprinted, digest = imprint["hash_algorithm"]["algorithm"].native, author["digest_algorithm"]["algorithm"].native
    if {imprinted, digest} & WEAK or hashlib.new(imprinted, stamped).digest() != imprint["hashed_message"].native:
        return None
    certificates = extract_certs_for_validation(token)
    body = hashlib.new(digest, bytes(content)).digest()
    if not all(validate_sig_integrity(author, certificates.signer_cert, "tst_info", body)):
        return None
    at: dt.datetime = info["gen_time"].native
    others = tuple(item.dump() for item in certificates.other_certs) + proofs.certificates
    found = judge(certificates.signer_cert.dump(), proofs._replace(certificates=others), roots, at, stamping=True)
    return at if found.valid and found.trusted is not False and not found.revoked else None
