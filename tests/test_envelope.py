"""`report sign` and `report verify --signature`: DSSE and in-toto as their texts say and as openssl checks them."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Quitus
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

from checker.reports import envelope

ROOT = Path(__file__).resolve().parent.parent
PIECE = "pieces/pv-1.pdf"
OPENSSL = shutil.which("openssl")
SECRET = "une phrase, secrète"
# RFC 8032, section 7.1, test 1: a key that nobody uses.
SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")


def pem(key: Any, password: str = "", form: str = "PKCS8") -> bytes:
    locked = serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
    data: bytes = key.private_bytes(serialization.Encoding.PEM, getattr(serialization.PrivateFormat, form), locked)
    return data


def public(key: Any) -> bytes:
    data: bytes = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return data


OWN = ed25519.Ed25519PrivateKey.from_private_bytes(SEED)
OTHER = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32))


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dossier, its reports and their signatures, made once."""
    folder = tmp_path_factory.mktemp("fait")
    shutil.copytree(ROOT / "fixtures/conforme", folder / "dossier")
    from checker import check, reports

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        run = check(Path("dossier"))
    for name in ("json", "csv", "xlsx"):
        (folder / f"r.{name}").write_bytes(reports.render(run, name))
    (folder / "cle.pem").write_bytes(pem(OWN))
    (folder / "cle.pub").write_bytes(public(OWN))
    (folder / "autre.pub").write_bytes(public(OTHER))
    return folder


@pytest.fixture
def work(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "w")
    return tmp_path / "w"


@pytest.fixture
def sign(quitus: Quitus, work: Path) -> Callable[..., Path]:
    def run(name: str = "r.json", key: str = "cle.pem") -> Path:
        done = quitus("report", "sign", name, "--key", key, cwd=work)
        assert done.returncode == 0, done.stderr
        return work / f"{name}.intoto.json"

    return run


def verify(quitus: Quitus, work: Path, name: str = "r.json", key: str = "cle.pub") -> tuple[int, list[str]]:
    done = quitus("report", "verify", name, "--signature", f"{name}.intoto.json", "--public-key", key, cwd=work)
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()


def changed(path: Path, change: Callable[[Any], object]) -> None:
    data = json.loads(path.read_bytes())
    change(data)
    path.write_text(json.dumps(data), "utf-8")


# What is written


def test_what_is_signed_is_as_dsse_says() -> None:
    """The test vector of the protocol, and its lengths in bytes."""
    assert envelope.pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )
    assert envelope.pae("\u00e9", b"") == "DSSEv1 2 \u00e9 0 ".encode()


def test_the_key_is_the_one_of_rfc_8032() -> None:
    key = envelope.private_key(pem(OWN), "cle.pem")
    assert key.sign(b"").hex().startswith("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555")


def test_the_statement(sign: Callable[..., Path], work: Path) -> None:
    said = json.loads(sign().read_bytes())
    assert set(said) == {"payload", "payloadType", "signatures"}
    assert said["payloadType"] == "application/vnd.in-toto+json"
    statement = json.loads(base64.b64decode(said["payload"]))
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "urn:quitus:report:1"
    report = (work / "r.json").read_bytes()
    assert statement["subject"] == [{"name": "r.json", "digest": {"sha256": hashlib.sha256(report).hexdigest()}}]
    (dossier,) = json.loads(report)["dossiers"]
    (told,) = statement["predicate"]["dossiers"]
    assert told["decision"] == dossier["decision"]
    assert {item["name"]: item["digest"]["sha256"] for item in told["files"]} == {
        item["path"]: item["sha256"] for item in dossier["files"]
    }


def test_the_same_report_has_the_same_signature(sign: Callable[..., Path]) -> None:
    first = sign().read_bytes()
    assert sign().read_bytes() == first


@pytest.mark.skipif(OPENSSL is None, reason="no openssl here")
def test_openssl_makes_the_key_and_finds_the_signature_good(
    quitus: Quitus, sign: Callable[..., Path], work: Path
) -> None:
    def openssl(*arguments: str) -> str:
        done = subprocess.run([str(OPENSSL), *arguments], cwd=work, capture_output=True, encoding="utf-8", check=True)
        return done.stdout

    openssl("genpkey", "-algorithm", "ed25519", "-out", "ssl.pem")
    openssl("pkey", "-in", "ssl.pem", "-pubout", "-out", "ssl.pub")
    said = json.loads(sign("r.csv", "ssl.pem").read_bytes())
    payload = base64.b64decode(said["payload"])
    (work / "pae").write_bytes(b"DSSEv1 28 application/vnd.in-toto+json %d %b" % (len(payload), payload))
    (work / "sig").write_bytes(base64.b64decode(said["signatures"][0]["sig"]))
    checked = ("pkeyutl", "-verify", "-rawin", "-in", "pae", "-sigfile", "sig", "-pubin", "-inkey")
    assert "Verified Successfully" in openssl(*checked, "ssl.pub")
    assert verify(quitus, work, "r.csv", "ssl.pub")[0] == 0
    openssl("pkey", "-pubin", "-in", "ssl.pub", "-outform", "DER", "-out", "ssl.der")
    assert said["signatures"][0]["keyid"] == hashlib.sha256((work / "ssl.der").read_bytes()).hexdigest()


# What is found


@pytest.mark.parametrize("name", ["r.json", "r.csv", "r.xlsx"])
def test_a_report_of_any_format(quitus: Quitus, sign: Callable[..., Path], work: Path, name: str) -> None:
    sign(name)
    code, lines = verify(quitus, work, name)
    assert code == 0
    assert lines[0].startswith("Signature : bonne")
    assert lines[1] == f"Rapport : inchangé depuis sa signature, sous le nom {name}"
    assert lines[-1].startswith("Tout ce que" if name == "r.json" else "Pièces : non regardées")
    (work / name).write_bytes((work / name).read_bytes() + b" ")
    code, lines = verify(quitus, work, name)
    assert code == 1
    assert lines[0].startswith("Signature : bonne")
    assert lines[1].startswith("Rapport : changé depuis sa signature")


def test_a_piece_that_changed_under_a_good_signature(quitus: Quitus, sign: Callable[..., Path], work: Path) -> None:
    sign()
    (work / "dossier" / PIECE).write_bytes(b"%PDF-1.7 autre")
    code, lines = verify(quitus, work)
    assert code == 1
    assert lines[1].startswith("Rapport : inchangé")
    assert any(line.startswith(f"A changé, fichier dossier/{PIECE}") for line in lines)
    shutil.rmtree(work / "dossier")
    assert verify(quitus, work)[0] == 2


def test_a_report_that_was_moved_keeps_its_signature(quitus: Quitus, sign: Callable[..., Path], work: Path) -> None:
    sign("r.csv").rename(work / "s.csv.intoto.json")
    (work / "r.csv").rename(work / "s.csv")
    code, lines = verify(quitus, work, "s.csv")
    assert (code, lines[1]) == (0, "Rapport : inchangé depuis sa signature, sous le nom r.csv")


def test_another_key(quitus: Quitus, sign: Callable[..., Path], work: Path) -> None:
    sign()
    code, lines = verify(quitus, work, key="autre.pub")
    assert code == 2
    assert lines[0].startswith("Signature : d'une autre clé")
    assert not any(line.startswith("Rapport :") for line in lines)


def flip(field: str) -> Callable[[Any], None]:
    """One bit of that field."""

    def change(data: Any) -> None:
        held = data["signatures"][0] if field == "sig" else data
        found = bytearray(base64.b64decode(held[field]))
        found[len(found) // 2] ^= 1
        held[field] = base64.b64encode(found).decode()

    return change


def emptied(data: Any) -> None:
    data["signatures"][0]["sig"] = ""


@pytest.mark.parametrize("change", [flip("payload"), flip("sig"), emptied])
def test_a_signature_that_was_edited(
    quitus: Quitus, sign: Callable[..., Path], work: Path, change: Callable[[Any], None]
) -> None:
    changed(sign("r.csv"), change)
    code, lines = verify(quitus, work, "r.csv")
    assert code == 1
    assert lines[0].startswith("Signature : mauvaise")
    assert not any(line.startswith("Rapport :") for line in lines)


def test_one_good_signature_among_several_and_url_safe_base64(
    quitus: Quitus, sign: Callable[..., Path], work: Path
) -> None:
    def change(data: Any) -> None:
        data["signatures"].insert(0, {"sig": base64.b64encode(b"?" * 64).decode(), "keyid": "\x1b[31m\u202e"})
        del data["signatures"][1]["keyid"]
        for held, key in ((data, "payload"), (data["signatures"][1], "sig")):
            held[key] = held[key].replace("+", "-").replace("/", "_")

    changed(sign("r.csv"), change)
    code, lines = verify(quitus, work, "r.csv")
    assert code == 0
    assert lines[0].startswith("Signature : bonne")
    changed(work / "r.csv.intoto.json", lambda data: data["signatures"].pop())
    code, lines = verify(quitus, work, "r.csv")
    assert code == 2
    assert not {"\x1b", "\u202e"} & set("".join(lines))


def resigned(**changes: Any) -> Callable[[Any], None]:
    """Another statement, under a good signature."""

    def change(data: Any) -> None:
        said = json.loads(base64.b64decode(data["payload"])) | changes
        data.update(json.loads(envelope.signed(json.dumps(said).encode(), OWN)))

    return change


WRONG: list[tuple[Callable[[Any], object], str]] = [
    (lambda data: data.update(payloadType="text/plain"), "text/plain"),
    (lambda data: data.update(signatures=[]), "rien n'y est signé"),
    (lambda data: data.update(signatures=["x"]), "pas une enveloppe DSSE"),
    (lambda data: data.update(payload="é"), "pas une enveloppe DSSE"),
    (lambda data: data.update(payload=3), "pas une enveloppe DSSE"),
    (lambda data: data.pop("payload"), "pas une enveloppe DSSE"),
    (resigned(predicateType="https://slsa.dev/provenance/v1"), "pas la déclaration d'un rapport"),
    (resigned(_type="https://in-toto.io/Statement/v0.1"), "pas la déclaration d'un rapport"),
    (resigned(subject=[{"name": "x"}]), "pas une déclaration in-toto"),
]


@pytest.mark.parametrize(("change", "said"), WRONG)
def test_what_is_no_signature_of_a_report(
    quitus: Quitus, sign: Callable[..., Path], work: Path, change: Callable[[Any], object], said: str
) -> None:
    path = sign("r.csv")
    changed(path, change)
    done = quitus("report", "verify", "r.csv", "--signature", path, "--public-key", "cle.pub", cwd=work)
    assert (done.returncode, done.stdout) == (64, "")
    assert said in done.stderr


# Keys


def run(work: Path, password: str | None, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {key: value for key, value in os.environ.items() if key != "QUITUS_KEY_PASSWORD"}
    env |= {} if password is None else {"QUITUS_KEY_PASSWORD": password}
    command = [sys.executable, "-m", "checker", "report", *arguments]
    return subprocess.run(
        command, cwd=work, env=env, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", check=False
    )


@pytest.mark.parametrize(
    ("locked", "password", "code", "said"),
    [
        (True, SECRET, 0, ""),
        (True, "autre", 64, "mauvaise phrase secrète"),
        (True, None, 64, "QUITUS_KEY_PASSWORD"),
        (True, "", 64, "QUITUS_KEY_PASSWORD"),
        (False, SECRET, 0, ""),
        (False, None, 0, ""),
    ],
)
def test_a_passphrase(work: Path, locked: bool, password: str | None, code: int, said: str) -> None:
    (work / "k.pem").write_bytes(pem(OWN, SECRET if locked else ""))
    done = run(work, password, "sign", "r.csv", "--key", "k.pem")
    assert done.returncode == code
    assert said in done.stderr
    assert SECRET not in done.stdout + done.stderr
    assert (work / "r.csv.intoto.json").exists() == (code == 0)


def small_rsa() -> Any:
    return rsa.generate_private_key(65537, 2048)


REFUSED: list[tuple[Callable[[], bytes], str]] = [
    (lambda: pem(ec.generate_private_key(ec.SECP256R1())), "Ed25519 est attendue"),
    (lambda: pem(ed448.Ed448PrivateKey.generate()), "Ed25519 est attendue, celle-ci est de type Ed448"),
    (lambda: pem(small_rsa(), form="TraditionalOpenSSL"), "Ed25519 est attendue, celle-ci est de type RSA"),
    (lambda: public(OWN), "pas une clé privée"),
    (lambda: pem(OWN)[:60], "ne peut être lue"),
    (lambda: b"\x00\xff", "pas une clé privée"),
    (lambda: pem(OWN, form="OpenSSH")[:-40], "ne peut être lue"),
]


@pytest.mark.parametrize(("data", "said"), REFUSED)
def test_keys_that_are_refused(work: Path, data: Callable[[], bytes], said: str) -> None:
    (work / "k.pem").write_bytes(data())
    done = run(work, None, "sign", "r.csv", "--key", "k.pem")
    assert done.returncode == 64
    assert said in done.stderr
    assert not (work / "r.csv.intoto.json").exists()


def test_public_keys_that_are_refused(sign: Callable[..., Path], work: Path) -> None:
    path = sign("r.csv").name
    for data, said in (
        (pem(OWN), "c'est une clé privée"),
        (public(ed448.Ed448PrivateKey.generate()), "Ed25519 est attendue"),
        (b"rien", "pas une clé publique"),
    ):
        (work / "k.pub").write_bytes(data)
        done = run(work, None, "verify", "r.csv", "--signature", path, "--public-key", "k.pub")
        assert done.returncode == 64
        assert said in done.stderr


def test_wrong_calls(sign: Callable[..., Path], work: Path) -> None:
    path = sign("r.csv").name
    calls = (
        ("verify", "r.csv", "--signature", path),
        ("verify", "r.csv", "--public-key", "cle.pub"),
        ("verify", "r.csv"),
        ("verify", "r.csv", "--signature", "rien", "--public-key", "cle.pub"),
        ("sign", "r.csv"),
        ("sign", "rien.csv", "--key", "cle.pem"),
        ("sign", "r.csv", "--key", "rien.pem"),
        ("sign", "r.csv", "--key", "cle.pem", "--output", "r.csv"),
        ("sign", "r.csv", "--key", "cle.pem", "--output", "cle.pem"),
        ("sign", "r.csv", "--key", "cle.pem", "--output", "rien/x"),
    )
    held = {item.name: item.read_bytes() for item in work.iterdir() if item.is_file()}
    for call in calls:
        done = run(work, None, *call)
        assert (done.returncode, done.stdout) == (64, ""), call
    assert {item.name: item.read_bytes() for item in work.iterdir() if item.is_file()} == held
