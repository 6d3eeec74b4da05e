"""PDF signatures (PAdES, ISO 32000-2 §12.8): who, when, four facts apart. Offline; pyhanko is loaded when one is there.

A row of `signature_lue` a signature, in the order of the form's fields; a timestamp of the document is no signature.

- `integre`: the bytes of the ByteRange are those signed, and the certificate's key signed them. Unknown where a
  ByteRange that holds leaves out more than its own /Contents (it may hide anything), and with MD5 and SHA-1.
- `couvre_tout`: nothing follows the signed bytes, or only other signatures, timestamps and proofs of validity (DSS).
- `modifie_apres`: the signed bytes changed, or what follows them is not permitted by the analysis of pyhanko (its
  default policy and the DocMDP, FieldMDP of the signature). A form field filled later is permitted, but not covered.
- `date`: the legal day in Paris of the timestamp of the signature when it holds (and is trusted, if roots are given),
  else of the signed attribute, else of /M. `de_confiance`, `certificat_valide`, `revoque` (base/certificates): then.
"""

from __future__ import annotations

import datetime as dt

from checker.base.certificates import NO_ROOTS, Roots
from checker.model import Place, Told


def tell(data: bytes, place: Place, nature: str, roots: Roots = NO_ROOTS, moment: dt.date | None = None) -> Told:
    """The signatures of a PDF; none: no row. `moment` judges the certificate of a signature that has no date."""
    if b"/ByteRange" not in data or b"%PDF-" not in data[:1024]:
        return Told({})
    from checker.facts.readers.pades.rows import rows

    found = rows(data, place, nature, roots, moment)
    return Told({"signature_lue": [(0, row) for row in found]} if found else {})
