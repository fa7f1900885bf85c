"""A form with the values that a participant gives it, judged before anything is printed.

What each kind of field takes is decided here, and every fault is told at once. Knows no file and
no page: the flow hands over the table that a file spelt, and takes away a value that a page can be
made from.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from difflib import get_close_matches
from typing import cast

from attrs import frozen

from hkex_ops.errors import ConfigError, Fault
from hkex_ops.model import FieldKind, Form, FormField
from hkex_ops.render.lettering import unprintable
from hkex_ops.render.words import say_day
from hkex_ops.rollouts import parse_date

__all__ = ["LONGEST_VALUE", "FilledField", "FilledForm", "fill_form"]

LONGEST_VALUE = 160
"""Characters of one value; a longer one would push the signature off the sheet."""

_PHONE = re.compile(r"[+(]?[0-9][0-9 ()./-]*(?:ext\.? ?[0-9]{1,6})?")
_PHONE_DIGITS = range(7, 22)
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}")
_USER_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")


@frozen
class FilledField:
    """A field and what is printed in it; nothing where it was left empty."""

    field: FormField
    values: tuple[str, ...] = ()


@frozen
class FilledForm:
    """A form whose every value is one that it takes. Make it with :func:`fill_form`."""

    form: Form
    fields: tuple[FilledField, ...]


def fill_form(form: Form, data: Mapping[str, object], *, document: str) -> FilledForm:
    """``form`` with the values of ``data``, by field id.

    A field that takes several values takes a list; a date is a TOML date, or a text whose weekday
    is checked. A signature is made by hand and has no value. `ConfigError` names ``document`` and
    lists every fault with its path.
    """
    faults: list[Fault] = []
    filled: list[FilledField] = []
    for field in form.fields:
        values, found = _judged(field, data.get(field.id))
        faults += found
        filled.append(FilledField(field, values))
    ids = [field.id for field in form.fields]
    faults += [
        Fault(key, f"unknown key; {_nearest(key, ids)}") for key in sorted(data.keys() - set(ids))
    ]
    if not faults and (asking := _asks_for_nobody(filled)):
        faults.append(Fault("", f"names no user: give ids in {' or '.join(asking)}"))
    if faults:
        raise ConfigError(faults, document=document)
    return FilledForm(form, tuple(filled))


def _asks_for_nobody(filled: Sequence[FilledField]) -> tuple[str, ...]:
    """The user-id fields of a form on which none is given: it would ask for nothing."""
    asking = [one for one in filled if one.field.kind is FieldKind.USER_IDS]
    if any(one.values for one in asking):
        return ()
    return tuple(one.field.id for one in asking)


def _judged(field: FormField, given: object) -> tuple[tuple[str, ...], list[Fault]]:
    """What is printed in ``field``, and everything wrong with what was given for it."""
    if field.kind is FieldKind.SIGNATURE:
        return (), [Fault(field.id, "is signed by hand: leave it out")] if given is not None else []
    if given is None or given in ("", []):
        if field.required:
            word = "is missing" if given is None else "is empty"
            return (), [Fault(field.id, f"{word}: {field.label}")]
        return (), []
    if not isinstance(given, list):
        if field.kind is FieldKind.USER_IDS:
            return (), [Fault(field.id, f"must be a list of texts, not {_said(given)}")]
        return _collected(field, [(field.id, given)])
    members = cast("list[object]", given)
    if field.at_most == 1 and field.kind is not FieldKind.USER_IDS:
        return (), [Fault(field.id, "takes one value, not a list")]
    return _collected(field, [(f"{field.id}[{n}]", one) for n, one in enumerate(members)])


def _collected(
    field: FormField, given: Sequence[tuple[str, object]]
) -> tuple[tuple[str, ...], list[Fault]]:
    values: list[str] = []
    faults: list[Fault] = []
    if len(given) > field.at_most:
        message = f"holds {len(given)}, and the form takes {field.at_most}"
        faults.append(Fault(field.id, message))
    for path, value in given:
        try:
            text = _text(field, value)
            if text in values:
                raise ValueError(f"{text!r} is there twice")
        except ValueError as error:
            faults.append(Fault(path, str(error)))
        else:
            values.append(text)
    return tuple(values), faults


def _text(field: FormField, value: object) -> str:
    """One value as it is printed; `ValueError` with a sentence when the field does not take it."""
    if field.kind is FieldKind.DATE:
        return _date(value)
    if not isinstance(value, str):
        raise ValueError(f"must be a text in quotes, not {_said(value)}")
    text = unicodedata.normalize("NFC", value.strip())
    if not text:
        raise ValueError(f"is empty: {field.label}")
    if len(text) > LONGEST_VALUE:
        raise ValueError(f"is {len(text)} characters long, and {LONGEST_VALUE} fit")
    if strange := unprintable(text):
        listed = ", ".join(f"{c!a} (U+{ord(c):04X})" for c in strange)
        raise ValueError(f"holds what the form's fonts cannot print: {listed}")
    if field.kind is FieldKind.CHOICE:
        return _chosen(field, text)
    if not _fits(field.kind, text):
        raise ValueError(f"{text!r} is no {_NOUNS[field.kind]}")
    return text


_NOUNS: Mapping[FieldKind, str] = {
    FieldKind.PHONE: "phone number; write it as +852 2345 6789",
    FieldKind.EMAIL: "e-mail address; write it as desk@example.com",
    FieldKind.USER_IDS: "user id; write letters, digits and _ without a space",
}


def _fits(kind: FieldKind, text: str) -> bool:
    match kind:
        case FieldKind.PHONE:
            digits = sum(character.isdigit() for character in text)
            return _PHONE.fullmatch(text) is not None and digits in _PHONE_DIGITS
        case FieldKind.EMAIL:
            return _EMAIL.fullmatch(text) is not None
        case FieldKind.USER_IDS:
            return _USER_ID.fullmatch(text) is not None
        case FieldKind.TEXT | FieldKind.CHOICE | FieldKind.SIGNATURE | FieldKind.DATE:
            return True


def _chosen(field: FormField, text: str) -> str:
    for choice in field.choices:
        if choice.casefold() == text.casefold():
            return choice
    raise ValueError(f"{text!r} is no choice; {_nearest(text, field.choices)}")


def _date(value: object) -> str:
    if isinstance(value, str):
        return say_day(parse_date(value))
    if isinstance(value, date) and not isinstance(value, datetime):
        return say_day(value)
    raise ValueError(f"must be a date such as 2019-05-05, not {_said(value)}")


def _said(value: object) -> str:
    match value:
        case bool():
            return "true or false"
        case int():
            return "a whole number"
        case list():
            return "a list"
        case dict():
            return "a table"
        case str():
            return "a text"
        case _:
            return f"a {type(value).__name__}"


def _nearest(word: str, known: Sequence[str]) -> str:
    near = get_close_matches(word, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
