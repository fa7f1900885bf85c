"""The types of a header as offsets and kinds, from the tree that a parser of C makes of it.

Fields of a structure within a structure are named by a dot, those of a short list by their place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import cast

from hkex_ops_oapi.layouts import FieldKind, LayoutField

__all__ = [
    "ELEMENTS_MOST",
    "Structures",
    "Unfit",
    "dimension",
    "fields_of",
    "fields_of_type",
    "kind_of",
    "part",
]

_PLAIN = {
    ("char",): (1, FieldKind.CHARACTER),
    ("char", "signed"): (1, FieldKind.INT),
    ("char", "unsigned"): (1, FieldKind.UINT),
    ("short",): (2, FieldKind.INT),
    ("short", "unsigned"): (2, FieldKind.UINT),
    (): (4, FieldKind.INT),
    ("unsigned",): (4, FieldKind.UINT),
    ("long", "long"): (8, FieldKind.INT),
    ("long", "long", "unsigned"): (8, FieldKind.UINT),
}

ELEMENTS_MOST = 64
"""The longest list within a record whose elements become fields of their own."""

_FILLER = re.compile(r"(?:^|\.)(?:filler|reserved)[^.]*$", re.IGNORECASE)
_TYPEDEF_SUFFIX = "_t"


class Unfit(Exception):
    """A record that no layout can say."""


def kind_of(node: object) -> str:
    """What a node of the tree is."""
    return type(node).__name__


def part(node: object, name: str) -> object:
    """One part of a node."""
    return cast("object", getattr(node, name))


def _parts(node: object, name: str) -> Sequence[object]:
    return cast("Sequence[object] | None", getattr(node, name)) or ()


class Structures:
    """The types of a header by their names."""

    def __init__(self, tree: object) -> None:
        self._typedefs: dict[str, object] = {}
        self._tags: dict[str, object] = {}
        self._lines: dict[str, int] = {}
        self.names: list[str] = []
        for node in _parts(tree, "ext"):
            if kind_of(node) == "Typedef":
                self._typedefs[str(part(node, "name"))] = part(node, "type")
            if kind_of(node) in ("Typedef", "Decl"):
                self._take(node)

    def _take(self, node: object) -> None:
        inner = part(node, "type")
        inner = part(inner, "type") if kind_of(inner) == "TypeDecl" else inner
        if kind_of(inner) != "Struct" or not _parts(inner, "decls"):
            return
        tag = part(inner, "name")
        name = str(tag or part(node, "name")).removesuffix(_TYPEDEF_SUFFIX)
        if tag:
            self._tags[str(tag)] = inner
        if name not in self._lines:
            self.names.append(name)
            self._tags.setdefault(name, inner)
        # The known types stand on one line before the header.
        self._lines[name] = cast("int", getattr(part(inner, "coord"), "line", 1)) - 1

    def fields(self, name: str) -> Sequence[object]:
        """The declarations of a record."""
        return _parts(self._tags[name], "decls")

    def line(self, name: str) -> int:
        """The line of the header on which a record begins."""
        return self._lines[name]

    def named(self, word: str) -> str | None:
        """The record called ``word``, by its tag or by its type's name."""
        bare = word.removesuffix(_TYPEDEF_SUFFIX)
        return next((name for name in self.names if name in (word, bare)), None)

    def resolve(self, node: object) -> object:
        """What a type is at last: a structure, a union or a plain type."""
        for _ in range(20):
            match kind_of(node):
                case "TypeDecl":
                    node = part(node, "type")
                case "IdentifierType" if (name := self._alias(node)) is not None:
                    node = self._typedefs[name]
                case "Struct" if not _parts(node, "decls"):
                    tag = str(part(node, "name"))
                    if tag not in self._tags:
                        raise Unfit(f"struct {tag} is nowhere in the header")
                    return self._tags[tag]
                case _:
                    return node
        raise Unfit("a type is defined by itself")

    def _alias(self, node: object) -> str | None:
        names = cast("Sequence[str]", part(node, "names"))
        return names[0] if len(names) == 1 and names[0] in self._typedefs else None


def dimension(node: object) -> int:
    """How many elements: a plain number, or a sum, difference or product of some."""
    match kind_of(node):
        case "Constant":
            try:
                return int(str(part(node, "value")).rstrip("uUlL"), 0)
            except ValueError:
                pass
        case "BinaryOp":
            left, right = dimension(part(node, "left")), dimension(part(node, "right"))
            match part(node, "op"):
                case "+":
                    return left + right
                case "-":
                    return left - right
                case "*":
                    return left * right
                case _:
                    pass
        case _:
            pass
    raise Unfit("the length of a list is no plain number")


def fields_of(
    structures: Structures, decls: Sequence[object], prefix: str, offset: int
) -> Iterator[LayoutField]:
    """The fields of a structure, those of structures within it by a dot."""
    if prefix.count(".") > 20:
        raise Unfit("structures within one another have no end")
    for decl in decls:
        name = part(decl, "name")
        inner = part(decl, "type")
        if kind_of(decl) != "Decl" or part(decl, "bitsize") is not None:
            raise Unfit(f"{prefix}{name or 'a field'} is no whole field")
        path = f"{prefix}{name}" if name else prefix.rstrip(".")
        for one in fields_of_type(structures, inner, path, offset):
            yield one
            offset = one.end


def fields_of_type(
    structures: Structures, node: object, path: str, offset: int
) -> Iterator[LayoutField]:
    """The fields that something of type ``node`` becomes, from ``offset`` on."""
    node = structures.resolve(node) if kind_of(node) != "ArrayDecl" else node
    match kind_of(node):
        case "ArrayDecl":
            yield from _of_array(structures, node, path, offset)
        case "Struct":
            yield from fields_of(
                structures, _parts(node, "decls"), f"{path}." if path else "", offset
            )
        case "Union":
            yield LayoutField(path, offset, _union_bytes(structures, node), FieldKind.BYTES)
        case "IdentifierType":
            size, kind = _plain(node, path)
            yield LayoutField(path, offset, size, FieldKind.FILLER if _is_filler(path) else kind)
        case other:
            raise Unfit(f"{path} is a {other}, which no message carries")


def _of_array(
    structures: Structures, node: object, path: str, offset: int
) -> Iterator[LayoutField]:
    count = dimension(part(node, "dim"))
    element = part(node, "type")
    if count < 1:
        raise Unfit(f"{path} has {count} elements")
    lines, inner = 1, element
    if kind_of(element) == "ArrayDecl":
        lines, count, inner = count, dimension(part(element, "dim")), part(element, "type")
    base = structures.resolve(inner)
    if kind_of(base) == "IdentifierType" and _plain(base, path)[0] == 1:
        is_text = _plain(base, path)[1] is FieldKind.CHARACTER or path.endswith("_s")
        kind = FieldKind.TEXT if is_text else FieldKind.BYTES
        if _is_filler(path) or kind is FieldKind.BYTES:
            kind = FieldKind.FILLER if _is_filler(path) else kind
            yield LayoutField(path, offset, count * lines, kind)
        else:
            yield LayoutField(path, offset, count, kind, lines)
        return
    if lines > 1 or count > ELEMENTS_MOST:
        raise Unfit(f"{path} is a list within the record, and has more than {ELEMENTS_MOST}")
    for number in range(count):
        for one in fields_of_type(structures, element, f"{path}.{number}", offset):
            yield one
            offset = one.end


def _plain(node: object, path: str) -> tuple[int, FieldKind]:
    words = cast("Sequence[str]", part(node, "names"))
    bare = [word for word in words if word != "int"]
    if "char" not in bare:
        bare = [word for word in bare if word != "signed"]
    found = _PLAIN.get(tuple(sorted(bare)))
    if found is None:
        raise Unfit(f"{path} is {' '.join(words)}, whose size is not the same on every machine")
    return found


def _union_bytes(structures: Structures, node: object) -> int:
    sizes: list[int] = []
    for decl in _parts(node, "decls"):
        fields = tuple(fields_of_type(structures, part(decl, "type"), "union", 0))
        sizes.append(max((one.end for one in fields), default=0))
    return max(sizes, default=0)


def _is_filler(path: str) -> bool:
    return _FILLER.search(path) is not None
