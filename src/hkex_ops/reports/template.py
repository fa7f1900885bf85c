"""The template of a report's name, taken apart: text, fields, and what may be left out.

Knows the shape of a template and nothing of what its fields mean; see
:mod:`hkex_ops.reports.grammar`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import TypeAlias

from attrs import frozen

from hkex_ops.errors import UsageError

__all__ = ["Field", "Omissible", "Piece", "fields_of", "pieces_of", "touching"]

_TOKEN = re.compile(
    r"(?P<doubled>\{\{|\}\}|\[\[|\]\])|\{(?P<field>[a-z_]*)(?::(?P<form>[^{}]*))?\}|(?P<sign>[\[\]{}])"
)


@frozen
class Field:
    """A field: what it is called, and how it is spelt where that must be said."""

    name: str
    form: str


@frozen
class Omissible:
    """What is there as a whole or not at all."""

    inner: tuple[Piece, ...]


Piece: TypeAlias = str | Field | Omissible


def pieces_of(template: str) -> tuple[Piece, ...]:
    """The template taken apart; `UsageError` for one that cannot be."""
    stack: list[list[Piece]] = [[]]
    place = 0
    for token in _TOKEN.finditer(template):
        _say(stack[-1], template[place : token.start()])
        place = token.end()
        if token["doubled"]:
            _say(stack[-1], token["doubled"][0])
        elif token["field"] is not None:
            stack[-1].append(Field(token["field"], token["form"] or ""))
        elif token["sign"] == "[":
            stack.append([])
        elif token["sign"] == "]" and len(stack) > 1:
            inner = tuple(stack.pop())
            if not any(fields_of(inner)):
                raise UsageError("has brackets around nothing that a name could leave out")
            stack[-1].append(Omissible(inner))
        else:
            raise UsageError(f"has a {token['sign']} that opens or closes nothing: double it")
    _say(stack[-1], template[place:])
    if len(stack) > 1:
        raise UsageError("has a [ that is never closed: close it, or double it")
    return tuple(stack[0])


def _say(pieces: list[Piece], text: str) -> None:
    if text and pieces and isinstance(pieces[-1], str):
        pieces[-1] += text
    elif text:
        pieces.append(text)


def fields_of(pieces: Iterable[Piece]) -> Iterator[Field]:
    """The fields, in order, those that may be left out too."""
    for piece in pieces:
        match piece:
            case Field():
                yield piece
            case Omissible(inner):
                yield from fields_of(inner)
            case _:
                pass


_LOOSE = ("house", "code", "session", "instance", "part")
_FIXED_FORMS = ("hhmm", "hhmmss")


def touching(pieces: Sequence[Piece]) -> Iterator[str]:
    """Fields of no fixed length that touch: such a name can be read in two ways.

    How long a field of the rule's own is only its regular expression knows, and whoever wrote it.
    """
    for left, right in pairwise(pieces):
        if isinstance(left, Field) and isinstance(right, Field):
            both = (left, right)
            if all(one.name in _LOOSE and one.form not in _FIXED_FORMS for one in both):
                yield f"has {left.name} and {right.name} side by side with nothing to part them"
    for piece in pieces:
        if isinstance(piece, Omissible):
            yield from touching(piece.inner)
