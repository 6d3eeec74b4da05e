"""A manifest already there, completed in place: what a person wrote stays, what is null or absent is filled.

Only the lines of the filled values change; a comment on a null value that this program did not write stays too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from checker.base import values, yamlfile
from checker.base.yamlfile import Node as Written
from checker.errors import Problem
from checker.proposals import yamltext
from checker.proposals.yamltext import Group, Leaf, Listing, Node, inert

_NULL = re.compile(r"(?:null|Null|NULL|~)(?![^\s,}\]])")
_OURS = re.compile(r"(?:non lu|non trouvé|non reconnu|illisible|ambigu|cellule vide)\b")
_COMMENT = re.compile(r"\s*(?:#\s*(.*))?\Z")
_FLOW_TAIL = re.compile(r"[}\]][^}\]\"']*\Z")
_SHOWN = 80  # characters of a value in a sentence
_ABOVE = "déjà écrit autrement que sur une ligne par clé : à compléter à la main"

Said = list[tuple[str, str]]


@dataclass(slots=True)
class _Edits:
    """What is to change in the text, by line counted from 0."""

    lines: list[str]
    replaced: dict[int, list[tuple[int, int, str]]] = field(default_factory=dict)  # line -> (start, end, new text)
    inserted: dict[int, list[str]] = field(default_factory=dict)  # line -> lines that go before it
    after: dict[int, list[str]] = field(default_factory=dict)  # line -> lines that go after it
    notes: dict[int, list[str]] = field(default_factory=dict)  # line -> comments that go at its end
    left: Said = field(default_factory=list)
    kept: Said = field(default_factory=list)

    def text(self) -> str:
        """The text with all edits."""
        done: list[str] = []
        for at, line in enumerate([*self.lines, ""]):
            done += self.inserted.get(at, [])
            if at == len(self.lines):
                break
            for start, end, new in sorted(self.replaced.get(at, []), reverse=True):
                line = line[:start] + new + line[end:]
            done.append(_noted(line, self.notes.get(at, [])))
            done += self.after.get(at, [])
        return "\n".join(done) + "\n"


def merge(earlier: str, proposed: Group) -> tuple[str, Said, Said]:
    """The completed text; what is still null because unreadable or ambiguous; what the pieces say otherwise.

    YamlError: the text is no YAML, is no object, or is written in a form where nothing can be added safely.
    """
    shown = "dossier.yaml"
    root = yamlfile.compose(earlier, shown)
    if not isinstance(root.data, dict):
        raise yamlfile.YamlError([Problem("le fichier n'est pas un objet : des clés suivies de valeurs", shown, 1, 1)])
    edits = _Edits(earlier.removesuffix("\n").replace("\r\n", "\n").split("\n"))
    _group(edits, root, proposed, "", 0, top=True)
    text = edits.text()
    try:
        unharmed = _contains(yamlfile.compose(text, shown), root)
    except yamlfile.YamlError:
        unharmed = False
    if not unharmed:
        raise yamlfile.YamlError(
            [Problem("mise en forme que `prepare` ne sait pas compléter", shown, todo="Mettre une clé par ligne.")]
        )
    return text, edits.left, edits.kept


def said(earlier: str | None) -> Mapping[str, str]:
    """What the manifest already there says that each piece is."""
    root = yamlfile.compose(earlier, "dossier.yaml").data if earlier else None
    listed = root.get("pieces") if isinstance(root, dict) else None
    found: dict[str, str] = {}
    for item in listed.data if listed is not None and isinstance(listed.data, list) else []:
        path, nature = (
            (item.data.get(key) for key in ("fichier", "nature")) if isinstance(item.data, dict) else (None, None)
        )
        if path and nature and isinstance(path.data, str) and isinstance(nature.data, str) and nature.data.strip():
            found[path.data] = nature.data.strip()
    return found


def _contains(new: Written, old: Written) -> bool:
    """Whether everything written is still there, in order."""
    if old.data is None or isinstance(old.data, str):
        return old.data is None or old.data == new.data
    if isinstance(old.data, dict):
        return isinstance(new.data, dict) and all(
            key in new.data and _contains(new.data[key], child) for key, child in old.data.items()
        )
    return isinstance(new.data, list) and all(
        _contains(after, before) for after, before in zip(new.data, old.data, strict=False)
    )


def _group(edits: _Edits, written: Written, proposed: Group, path: str, indent: int, top: bool = False) -> None:
    for key, node in proposed.items.items():
        full = f"{path}.{key}" if path else key
        child = written.data.get(key)
        if child is None:
            _absent(edits, written, key, node, full, indent, top)
        elif child.data is None:
            _fill(edits, child, key, node, full, indent)
        else:
            _kept(edits, child, node, full, indent)


def _kept(edits: _Edits, child: Written, node: Node, path: str, indent: int) -> None:
    """A value that is there stays; the objects below it are completed."""
    if isinstance(node, Group) and isinstance(child.data, dict):
        below = next((item.column - 1 for item in _keys(edits, child)), indent + 2)
        _group(edits, child, node, path, below)
    elif isinstance(node, Listing) and isinstance(child.data, list):
        _listing(edits, child, node, path)
    elif isinstance(node, Leaf) and node.text is not None and node.raw and isinstance(child.data, str | list):
        own = f"[{', '.join(str(each.data) for each in child.data)}]" if isinstance(child.data, list) else child.data
        if own.strip() and not _same(node, own):
            said = f"gardé « {_cut(own)} » ; les pièces disent « {_cut(node.raw)} » ({node.comment})"
            edits.kept.append((path, said))


def _keys(edits: _Edits, child: Written) -> Iterator[Written]:
    """A position inside a block object: the column of its first key."""
    for key, value in child.data.items():
        line = edits.lines[value.line - 1]
        found = re.match(rf"(?:\s|- )*[\"']?{re.escape(key)}[\"']?\s*:", line)
        if found:
            start = re.match(r"(?:\s|- )*", line)
            yield Written(None, value.line, (start.end() if start else 0) + 1)


def _same(node: Leaf, own: str) -> bool:
    if node.kind not in values.TYPES:
        return "".join(own.split()) == "".join(node.raw.split())
    try:
        return values.parse(node.kind, own) == values.parse(node.kind, node.raw)
    except values.Refused:
        return False


def _listing(edits: _Edits, child: Written, node: Listing, path: str) -> None:
    written = {_identity(item, node.key): (at, item) for at, item in enumerate(child.data, 1)}
    new: list[Group] = []
    for item in node.items:
        leaf = item.items.get(node.key)
        raw = leaf.raw if isinstance(leaf, Leaf) else ""
        found = written.get(_identity_of(leaf.kind if isinstance(leaf, Leaf) else "text", raw))
        if found and raw and isinstance(found[1].data, dict):
            at, own = found
            _group(edits, own, item, f"{path}[{at}]", own.column - 1)
        elif node.grows and raw:
            new.append(item)
        else:
            said = f"{node.key} {raw or 'non lu'} : dans les pièces, pas dans ce qui est écrit ; laissé"
            edits.left.append((path, f"ambigu : {said}"))
    if new:
        _append(edits, child, new, path)


def _identity(item: Written, key: str) -> str:
    value = item.data.get(key) if isinstance(item.data, dict) else None
    raw = value.data if value is not None and isinstance(value.data, str) else ""
    return _identity_of("file" if key == "fichier" else "number" if key == "ligne" else "reference", raw)


def _identity_of(kind: str, raw: str) -> str:
    if kind == "number":
        try:
            return str(values.number(raw))
        except values.Refused:
            return raw
    return raw if kind == "file" else values.reference(raw)


def _append(edits: _Edits, child: Written, new: Sequence[Group], path: str) -> None:
    """New objects at the end of a list written as a block (or empty)."""
    at = child.line - 1
    if not child.data:
        start = edits.lines[at].find("[", child.column - 1)
        end = edits.lines[at].find("]", start) + 1
        lines = [line for item in new for line in yamltext.item(item, 2)]
        edits.replaced.setdefault(at, []).append((start, end, ""))
        edits.after.setdefault(at, []).extend(lines)
    else:
        first = child.data[0]
        dash = edits.lines[first.line - 1].rfind("-", 0, first.column - 1)
        if dash < 0 or edits.lines[first.line - 1][:dash].strip():
            edits.left.append((path, _ABOVE))
            return
        lines = [line for item in new for line in yamltext.item(item, dash)]
        edits.inserted.setdefault(_end(edits.lines, child.data[-1].line - 1, dash), []).extend(lines)
    for item in new:
        edits.left += [(f"{path}[].{name}", leaf.left) for name, leaf in yamltext.leaves(item) if leaf.left]


def _end(lines: Sequence[str], at: int, indent: int) -> int:
    """The line after the last one of the list item that starts at this line."""
    end = at + 1
    for line in range(at + 1, len(lines)):
        text = lines[line]
        if not text.strip() or text.lstrip().startswith("#"):
            continue
        if len(text) - len(text.lstrip()) <= indent:
            break
        end = line + 1
    return end


def _absent(edits: _Edits, written: Written, key: str, node: Node, path: str, indent: int, top: bool) -> None:
    """A key that nobody wrote is added only when the pieces say something of it."""
    said = [leaf for _, leaf in yamltext.leaves(node) if leaf.text is not None]
    left = [(name, leaf.left) for name, leaf in yamltext.leaves(node, path) if leaf.left]
    if not said:
        edits.left += left
        return
    if top:
        edits.inserted.setdefault(len(edits.lines), []).extend(yamltext.entry(key, node, 0))
        edits.left += left
        return
    first = next(_keys(edits, written), None)
    line = edits.lines[written.line - 1]
    if line[written.column - 1 : written.column] == "{" and isinstance(node, Leaf) and node.text is not None:
        comma = "" if line[written.column :].lstrip().startswith("}") else ", "
        edits.replaced.setdefault(written.line - 1, []).append(
            (written.column, written.column, f"{yamltext.key(key)}: {node.text}{comma}")
        )
        edits.notes.setdefault(written.line - 1, []).append(f"{key} : {node.comment}")
    elif first is not None and not edits.lines[first.line - 1].lstrip().startswith("-"):
        edits.inserted.setdefault(first.line - 1, []).extend(yamltext.entry(key, node, indent))
        edits.left += left
    elif first is not None and len(written.data) > 1:
        second = sorted({value.line for value in written.data.values()})[1]
        edits.inserted.setdefault(second - 1, []).extend(yamltext.entry(key, node, indent))
        edits.left += left
    else:
        edits.left.append((path, _ABOVE))


def _fill(edits: _Edits, child: Written, key: str, node: Node, path: str, indent: int) -> None:
    """A null becomes the value, in place; one that stays null gets the reason of today."""
    at, start = child.line - 1, child.column - 1
    line = edits.lines[at]
    token = _NULL.match(line, start)
    end = token.end() if token else start
    rest = line[end:]
    comment = _COMMENT.match(rest)
    left = [(name, leaf.left) for name, leaf in yamltext.leaves(node, path) if leaf.left]
    if isinstance(node, Leaf):
        edits.left += left
        if comment is not None:
            own = comment[1] or ""
            person = own if own and not _OURS.match(own) else ""
            if node.text is None and person:
                return
            said = " ; ".join(part for part in (inert(node.comment), person) if part)
            value = "null" if node.text is None else node.text
            gap = "" if token or line[:start].endswith(" ") else " "
            edits.replaced.setdefault(at, []).append(
                (start, len(line), f"{gap}{value}" + (f"  # {said}" if said else ""))
            )
        elif node.text is not None and token:
            edits.replaced.setdefault(at, []).append((start, end, node.text))
            edits.notes.setdefault(at, []).append(f"{key} : {node.comment}")
        elif node.text is not None:
            edits.left.append((path, _ABOVE))
        return
    if not any(leaf.text is not None or leaf.left for _, leaf in yamltext.leaves(node)):
        return
    if comment is None:
        edits.left.append((path, _ABOVE))
        return
    edits.left += left
    own = comment[1] or ""
    said = " ; ".join(part for part in (inert(node.comment), "" if _OURS.match(own) else own) if part)
    edits.replaced.setdefault(at, []).append((start, len(line), f"# {said}" if said else ""))
    edits.after.setdefault(at, []).extend(yamltext.below(node, indent + 2))


def _noted(line: str, notes: Sequence[str]) -> str:
    """The line with comments at its end."""
    if not notes:
        return line.rstrip() if line.endswith(" ") else line
    tail = _FLOW_TAIL.search(line)
    mark = " ; " if tail and "#" in tail[0] else "  # "
    return line + mark + inert(" ; ".join(notes))


def _cut(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= _SHOWN else plain[: _SHOWN - 1] + "\u2026"
