"""`python -m benchmarks.fuzz [--minutes N] [--seed N] [--keep FOLDER]`: spoil real files, read them, count.

Each round takes a sample, spoils it (bytes, XML, parts of an archive), and reads it as a run does. A finding is a
reader that raises, that answers later than its limit, or that says neither that the file opens nor why it does not.
A reader that dies is none: the run has survived it and says so; its file is kept when asked.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import io
import random
import resource
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from checker.base import plugs, yamlfile
from checker.base.unreadable import Unreadable
from checker.dossiers import zips
from checker.facts import apart, pieces, sheets
from checker.model import Limits, Place

ROOT = Path(__file__).resolve().parent.parent
LIMITS = Limits(piece_seconds=5, reader_megabytes=512, zip_megabytes=50)
_TOKENS = (
    b"\x00", b"\xff" * 4, b"\x7f\xff\xff\xff", b"\x80\x00\x00\x00", b"<", b"/>", b"&a;", b"<!DOCTYPE a>", b"]]>",
    b"endobj", b"stream\n", b"<<", b">>", b"/Filter", b"1048576", b"-1", b"1e999", b"NaN", b"XFD1048576", b"\x1b[2J",
    b"'", b'"', b"\r\n", b";", b"&a", b"*a", b": ", b"- ", b"\t",
)  # fmt: skip


@dataclass
class Tally:
    """What became of the files of one reader."""

    rounds: int = 0
    read: int = 0
    refused: int = 0
    killed: int = 0
    slowest: float = 0.0


def samples() -> dict[str, list[bytes]]:
    """Suffix -> real files."""
    found: dict[str, list[bytes]] = {}
    for folder in ("conforme", "readers"):
        for path in sorted((ROOT / "fixtures" / folder).rglob("*.*")):
            if path.suffix in (".pdf", ".xlsx", ".ods", ".csv", ".yaml"):
                found.setdefault(path.suffix[1:], []).append(path.read_bytes())
    found["xml"] = [(ROOT / "fixtures/facture-F-2018-118.xml").read_bytes()]
    found["xls"] = [_xls()]
    found["png"], found["jpg"], found["tif"] = ([_image(kind)] for kind in ("PNG", "JPEG", "TIFF"))
    found["zip"] = [_zip()]
    return found


def _xls() -> bytes:
    import xlwt

    book = xlwt.Workbook()
    sheet = book.add_sheet("lignes")
    for row, line in enumerate([("ligne", "montant", "objet"), (1, 60000.0, "Sprints"), (2, 24000.0, "Suite")]):
        for column, value in enumerate(line):
            sheet.write(row, column, value)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _image(kind: str) -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.effect_noise((40, 30), 60).save(out, kind)
    return out.getvalue()


def _zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as content:
        content.write(ROOT / "fixtures/conforme/dossier.yaml", "dossier.yaml")
        content.writestr("pieces/é.txt", "x" * 1000)
    return out.getvalue()


def spoil(data: bytes, chance: random.Random) -> bytes:
    """The content with a few accidents; an archive is sometimes spoilt part by part, so that it still opens."""
    if data[:2] == b"PK" and chance.random() < 0.7:
        return _spoilt_parts(data, chance)
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        at = chance.randrange(len(changed) + 1)
        length = min(chance.choice((1, 4, 64, 4096)), len(changed) - at)
        match chance.randrange(6):
            case 0:
                changed[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del changed[at : at + length]
            case 2:
                changed[at:at] = changed[at : at + length] * chance.choice((1, 2, 50))
            case 3:
                changed[at : at + chance.randrange(8)] = chance.choice(_TOKENS)
            case 4:
                changed[at:at] = chance.choice(_TOKENS) * chance.choice((1, 3, 500))
            case _:
                del changed[len(changed) - length :]
        changed = changed or bytearray(b"\0")
    return bytes(changed)


def _spoilt_parts(data: bytes, chance: random.Random) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        names = source.namelist()
        chosen = chance.choice(names)
        for name in names:
            part = source.read(name)
            target.writestr(name, spoil(part, chance) if name == chosen and part else part)
    return out.getvalue()


def read(suffix: str, data: bytes, folder: Path) -> tuple[str, str]:
    """Read a content as a run does: « read », « refused » or « killed », and why. AssertionError: a finding."""
    name = f"f.{suffix}"
    (folder / name).write_bytes(data)
    if suffix == "yaml":
        try:
            yamlfile.compose(yamlfile.read_text(folder / name, name), name)
        except yamlfile.YamlError as error:
            return "refused", error.problems[0].what
        return "read", ""
    if suffix == "zip":
        return _unpacked(folder / name)
    row, digest = pieces.inspect(folder, name, look=pieces.looking(LIMITS))
    opens = row["lu.lisible"]
    assert digest is not None
    assert digest.sha256 == hashlib.sha256(data).hexdigest()
    assert (opens.raw is None) == bool(opens.fault), opens
    assert opens.raw is None or all(row[f"lu.{key}"].raw or row[f"lu.{key}"].fault for key in ("type", "actif")), row
    reasons = [opens.fault or "", _told(suffix, data)]
    if suffix in ("csv", "xlsx", "ods", "xls"):
        try:
            assert isinstance(sheets.grids(folder / name, name, LIMITS), list)
        except Unreadable as error:
            reasons.append(error.reason or "!")
    assert "!" not in reasons
    assert not any("a échoué" in item for item in reasons), reasons
    reason = next((item for item in reasons if "le lecteur" in item), reasons[-1] or reasons[0])
    return ("killed" if "le lecteur" in reason else "refused" if reason else "read"), reason


def _told(suffix: str, data: bytes) -> str:
    """What the plugs tell of the content must be rows, or nothing; why a reader died, else ""."""
    if suffix not in ("pdf", "xml"):
        return ""
    for name in _tellers():
        said = apart.call(_tell, name, data, seconds=LIMITS.piece_seconds, megabytes=LIMITS.reader_megabytes)
        if isinstance(said, apart.Failed):
            assert "a échoué" not in said.reason, f"{name}: {said.reason}"
            return said.reason
    return ""


@functools.cache
def _tellers() -> tuple[str, ...]:
    names = plugs.names(sheets.READERS)
    return tuple(name for name in names if hasattr(plugs.load(sheets.READERS, name), "tell"))


def _tell(name: str, data: bytes) -> int:
    told = plugs.load(sheets.READERS, name).tell(data, Place("f"), "facture")
    return sum(len(rows) for rows in told.tables.values())


def _unpacked(path: Path) -> tuple[str, str]:
    with tempfile.TemporaryDirectory() as target:
        try:
            zips.folders(path, "dossier.yaml")
            zips.unpack(path, Path(target, "in"), LIMITS)
        except zips.Refused as refused:
            return "refused", refused.reason
        finally:
            assert [item.name for item in Path(target).iterdir()] in ([], ["in"]), "written outside"
    return "read", ""


def fuzz(seconds: float, seed: int, keep: Path | None = None, tell: Callable[[str], None] = print) -> list[str]:
    """Rounds over all samples for so long; the findings. `tell` receives the table."""
    chance = random.Random(seed)
    found: list[str] = []
    known = samples()
    tallies = {suffix: Tally() for suffix in known}
    end = time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as name:
        while time.monotonic() < end:
            for suffix, contents in known.items():
                data = spoil(chance.choice(contents), chance)
                start = time.monotonic()
                try:
                    became, reason = read(suffix, data, Path(name))
                except Exception as error:
                    became, reason = "finding", f"{type(error).__name__}: {error}"
                took = time.monotonic() - start
                if became == "read" and took > 3 * LIMITS.piece_seconds:
                    became, reason = "finding", f"{took:.0f} s"
                _count(tallies[suffix], became, took)
                if became in ("finding", "killed"):
                    where = _kept(keep, suffix, data) if keep else ""
                    (found.append if became == "finding" else tell)(f"{suffix} {became} {where} {reason[:200]}")
    apart.close()
    tell(_table(tallies))
    return found


def _count(tally: Tally, became: str, took: float) -> None:
    tally.rounds += 1
    tally.slowest = max(tally.slowest, took)
    if became != "finding":
        setattr(tally, became, getattr(tally, became) + 1)


def _kept(folder: Path, suffix: str, data: bytes) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{zlib.crc32(data):08x}.{suffix}"
    path.write_bytes(data)
    return path.name


def _table(tallies: dict[str, Tally]) -> str:
    lines = ["| reader of | files | read | refused | killed | slowest ms |", "|---|---:|---:|---:|---:|---:|"]
    for suffix, tally in tallies.items():
        counts = f"{tally.rounds} | {tally.read} | {tally.refused} | {tally.killed}"
        lines.append(f"| .{suffix} | {counts} | {tally.slowest * 1000:.0f} |")
    own, below = (resource.getrusage(who).ru_maxrss >> 10 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return "\n".join([*lines, f"peak memory: this process {own} MB, a child {below} MB"])


def main() -> int:
    """0: no finding."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--keep", type=Path, help="folder of the files that killed a reader or are a finding")
    options = parser.parse_args()
    print(f"seed {options.seed}")
    found = fuzz(options.minutes * 60, options.seed, options.keep)
    print("\n".join(found) or "no finding")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
