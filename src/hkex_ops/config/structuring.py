"""TOML text to values through one cattrs converter, with every fault at once and where it stands.

Data classes know nothing of checking or of formats; what a file may say is decided here and in
:mod:`hkex_ops.config.stated`. Called by the loaders of this package only.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import (
    Callable,
    Iterable,
    Iterator,
    Mapping,
    MutableSequence,
    MutableSet,
    Sequence,
    Set as AbstractSet,
)
from datetime import date, datetime, time
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from traceback import walk_tb
from typing import TypeAlias, TypeVar, cast, get_args, get_origin

import attrs
from attrs import AttrsInstance
from cattrs import (
    BaseValidationError,
    ClassValidationError,
    Converter,
    ForbiddenExtraKeysError,
    IterableValidationError,
    StructureHandlerNotFoundError,
)
from cattrs.cols import (
    list_structure_factory,
    mapping_structure_factory,  # pyright: ignore[reportUnknownVariableType]
)
from cattrs.gen import make_dict_structure_fn, override

from hkex_ops.errors import ConfigError, Fault, HkexOpsError

__all__ = [
    "document_of",
    "in_order",
    "make_converter",
    "nearest",
    "read_text",
    "said",
    "structure",
]

T = TypeVar("T")


def make_converter() -> Converter:
    """A converter that refuses unknown keys and unknown words, and converts nothing silently."""
    converter = Converter(detailed_validation=True, forbid_extra_keys=True)
    for plain in (str, int, bool):
        converter.register_structure_hook(plain, _exactly(plain))
    converter.register_structure_hook(float, _number)
    converter.register_structure_hook(str | int, _text_or_whole)
    # A StrEnum is a str too: without a hook of its own it would pass as any text.
    converter.register_structure_hook(StrEnum, _word)
    converter.register_structure_hook_factory(_is_many, _list_hook)
    converter.register_structure_hook_factory(_is_mapping, _mapping_hook)
    converter.register_structure_hook_factory(attrs.has, _table_hook)
    return converter


def read_text(path: Path, *, what: str) -> str:
    """The text of a file a person wrote; `ConfigError` says what to do when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"there is no {what} at {path}: write one or name another") from None
    except IsADirectoryError:
        raise ConfigError(f"{path} is a folder, and the {what} must be a file") from None
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{what} {path} cannot be read: it is no text in UTF-8, as its byte {error.start + 1} "
            "shows"
        ) from None
    except OSError as error:
        raise ConfigError(f"{what} {path} cannot be read: {error.strerror}") from error
    except ValueError as error:  # a name that no file can bear
        raise ConfigError(f"{what} {path} cannot be read: {error}") from error


def document_of(text: str, *, document: str) -> dict[str, object]:
    """The table that a TOML text spells; `ConfigError` gives line and column of a syntax fault."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"is not TOML: {error}", document=document) from error


def structure(
    table: Mapping[str, object],
    kind: type[T],
    *,
    document: str,
    converter: Converter | None = None,
    at: str = "",
) -> T:
    """``table`` as a ``kind``, or a `ConfigError` that lists every fault with its path.

    A ``kind`` that holds a type which no table can fill is not the document's fault: it raises
    cattrs' StructureHandlerNotFoundError, whatever the table says.
    """
    try:
        return (converter or make_converter()).structure(table, kind)
    except BaseValidationError as error:
        unfit = _unfit(error)
        if unfit is not None:
            raise unfit from None
        raise ConfigError(in_order(_faults(error, at)), document=document) from None


def in_order(faults: Iterable[Fault]) -> list[Fault]:
    """Each fault once, by its place in the document: the tenth of a list after the second."""
    return sorted(set(faults), key=_order)


def _order(fault: Fault) -> tuple[list[tuple[str, int]], str]:
    steps = re.findall(r"([^.\[\]]+)|\[(\d+)\]", fault.path)
    return [(key, int(index or 0)) for key, index in steps], fault.message


Hook: TypeAlias = Callable[[object, object], object]

_ARTICLES: Mapping[type[object], str] = {
    str: "a text",
    int: "a whole number",
    bool: "true or false",
    float: "a number with a point",
    list: "a list",
    dict: "a table",
    datetime: "a date with a time",
    date: "a date",
    time: "a time of day",
}


def _text_or_whole(value: object, _: object) -> str | int:
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise ValueError(f"must be a text or a whole number, not {said(value)}")


def _exactly(plain: type[object]) -> Hook:
    def hook(value: object, _: object) -> object:
        if type(value) is not plain:
            raise ValueError(f"must be {_ARTICLES[plain]}, not {said(value)}")
        return value

    return hook


def _number(value: object, _: object) -> float:
    """A whole number is a number too; a text that spells one is not."""
    if type(value) is int or type(value) is float:
        return float(value)
    raise ValueError(f"must be a number, not {said(value)}")


def said(value: object) -> str:
    """What a value is, never the value: it may be a secret in the wrong place."""
    return _ARTICLES.get(type(value), type(value).__name__)


def _word(value: object, kind: type[StrEnum]) -> StrEnum:
    words = [member.value for member in kind]
    if value not in words:
        raise ValueError(f"unknown word {value!r}; {nearest(str(value), words)}")
    return kind(value)


# What a list of a file becomes. A text is none of these, though Python would iterate over it.
_MANY: Mapping[object, Callable[[Iterable[object]], object]] = {
    tuple: tuple,
    list: list,
    set: set,
    frozenset: frozenset,
    Sequence: tuple,
    MutableSequence: list,
    AbstractSet: frozenset,
    MutableSet: set,
}


def _is_many(kind: object) -> bool:
    return (get_origin(kind) or kind) in _MANY


def _list_hook(kind: type[object], converter: Converter) -> Hook:
    make = _MANY[get_origin(kind) or kind]
    items = get_args(kind) or (object,)
    if items[1:] not in ((), (...,)):
        raise StructureHandlerNotFoundError(f"{kind} is of a fixed length", kind)
    many = cast("type[list[object]]", list[items[0]])  # type: ignore[valid-type]
    structure_items = list_structure_factory(many, converter)

    def hook(value: object, _: object) -> object:
        if not isinstance(value, list | tuple):
            raise ValueError(f"must be a list, not {said(value)}")
        return make(structure_items(value, many))

    return hook


def _is_mapping(kind: object) -> bool:
    return get_origin(kind) in (dict, Mapping)


def _mapping_hook(kind: type[dict[str, object]], converter: Converter) -> Hook:
    structure_items = mapping_structure_factory(kind, converter)  # pyright: ignore[reportUnknownVariableType]

    def hook(value: object, _: object) -> object:
        return structure_items(_table(value), kind)

    return hook


def _table_hook(kind: type[AttrsInstance], converter: Converter) -> Hook:
    """A key that is a word of Python, such as ``from``, is spelt ``from_`` in the class."""
    names = [attribute.name for attribute in attrs.fields(kind)]
    spelt = {name: override(rename=name.rstrip("_")) for name in names if name.endswith("_")}
    structure_table = make_dict_structure_fn(kind, converter, **spelt)  # type: ignore[arg-type]

    def hook(value: object, _: object) -> object:
        return structure_table(_table(value), kind)

    return hook


def _table(value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise ValueError(f"must be a table, not {said(value)}")
    return cast("Mapping[str, object]", value)


def nearest(word: str, known: Sequence[str]) -> str:
    """The end of a sentence about an unknown word: the nearest known one, or all of them."""
    near = get_close_matches(word, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"


def _faults(error: BaseException, path: str) -> Iterator[Fault]:
    """Walk cattrs' exception group down to the single faults, keeping the way."""
    if isinstance(error, ClassValidationError):
        noted, bare = error.group_exceptions()
        for inner, note in noted:
            yield from _faults(inner, _join(path, note.name.rstrip("_")))
        for inner in bare:
            yield from _faults(inner, path)
    elif isinstance(error, IterableValidationError):
        members, bare = error.group_exceptions()
        for inner, place in members:
            step = place.index if isinstance(place.index, str) else f"[{place.index}]"
            yield from _faults(inner, _join(path, step))
        for inner in bare:
            yield from _faults(inner, path)
    elif isinstance(error, ForbiddenExtraKeysError):
        known = [attribute.name.rstrip("_") for attribute in attrs.fields(error.cl)]
        for key in sorted(error.extra_fields):
            yield Fault(_join(path, key), f"unknown key; {nearest(key, known)}")
    elif isinstance(error, KeyError):
        yield Fault(path, "is missing")
    elif (refused := _refused(error)) is not None:
        yield Fault(_join(path, refused), _NOT_VALID)
    else:
        yield Fault(path, str(error) if _is_sentence(error) else _NOT_VALID)


_NOT_VALID = "is not valid: it is of the right type, and its value is not taken"


def _is_sentence(error: BaseException) -> bool:
    """Whether the error's text was written for a person; any other may repeat a secret."""
    if isinstance(error, HkexOpsError):
        return True
    match error.args:
        case (str(text),):
            return isinstance(error, ValueError) and bool(text)
        case _:
            return False


def _refused(error: BaseException) -> str | None:
    """The field whose value a validator of attrs refused, if one did.

    Their texts repeat the value, some of them as a sentence; only where they were raised tells.
    """
    for frame, _ in walk_tb(error.__traceback__):
        if frame.f_globals.get("__name__") == attrs.validators.instance_of.__module__:
            attribute = frame.f_locals.get("attr")
            return getattr(attribute, "name", "").rstrip("_")
    return None


def _unfit(error: BaseException) -> StructureHandlerNotFoundError | None:
    """The first complaint about the class, rather than the document, in an exception group."""
    if isinstance(error, StructureHandlerNotFoundError):
        return error
    inner = cast("Sequence[Exception]", getattr(error, "exceptions", ()))
    return next((found for one in inner if (found := _unfit(one)) is not None), None)


def _join(path: str, step: str) -> str:
    if not path or not step or step.startswith("["):
        return f"{path}{step}"
    return f"{path}.{step}"
