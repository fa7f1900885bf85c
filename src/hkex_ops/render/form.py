"""A filled form as a PDF: our own layout, the paper's title, addressee, wording and fields.

Values are printed on the page and are no fields to type into: a form field of a PDF loses Chinese
in one reader or another, and a desk sends what it signed. The bytes follow from the form and the
values alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from hkex_ops.model import FieldKind, Form
from hkex_ops.render.filling import FilledField, FilledForm
from hkex_ops.render.sheet import (
    ACCENT,
    BAND,
    INK,
    LEFT,
    LINE,
    QUIET,
    RIGHT,
    WIDTH,
    Block,
    Pen,
    make_pdf,
    set_lines,
    text_width,
)
from hkex_ops.render.words import say_bound, say_window

__all__ = ["form_pdf"]

GAP = 10.0
CELL_HEIGHT = 34.0
LEADING = 1.32
# How wide a cell wants to be beside others of its row, in parts of the sheet's width.
_WANTED = {FieldKind.TEXT: 9, FieldKind.PHONE: 5, FieldKind.EMAIL: 10, FieldKind.DATE: 8}
_ROW = 24
# A value is written in the first size in which none of its words is cut.
_VALUE_SIZES = (10.5, 9.5, 8.5)
_SLOTS_IN_ROW = 3
_CHANNELS = {"email": "E-mail"}
_EMPTY = "–"


def form_pdf(filled: FilledForm, *, paper: str) -> bytes:
    """The PDF of ``filled``; ``paper`` is the title of the circular that brings the form."""
    form = filled.form
    footer = f"Content after {form.source}. Layout by hkex-ops."
    return make_pdf(form.name, footer, tuple(_blocks(filled, paper)))


def _blocks(filled: FilledForm, paper: str) -> Iterator[Block]:
    form = filled.form
    asked, signing = _parted(filled.fields)
    yield _heading(form, paper)
    yield _routing(form)
    yield from _values(asked)
    yield _gap(GAP)
    yield from (_note(note) for note in form.notes)
    # What is declared and the signature under it never part.
    end = [_declaration(form.declaration)] if form.declaration else []
    yield _together([*end, _gap(GAP / 2), *_signing(form, signing)])


def _parted(
    fields: Sequence[FilledField],
) -> tuple[Sequence[FilledField], Sequence[FilledField]]:
    """What is asked, and what is signed: the first signature and all that follows it."""
    kinds = [one.field.kind for one in fields]
    end = kinds.index(FieldKind.SIGNATURE) if FieldKind.SIGNATURE in kinds else len(fields)
    return fields[:end], fields[end:]


# -- the head: whose form, where to, by when ---------------------------------------------------


def _heading(form: Form, paper: str) -> Block:
    badge = form.appendix.upper()
    room = WIDTH - text_width(badge, 8, bold=True) - 30
    above = set_lines(paper, 8.5, room)
    title = set_lines(form.name, 17, WIDTH, bold=True)
    purpose = set_lines(form.purpose[:1].upper() + form.purpose[1:], 9.5, WIDTH)
    title_top = 6 + 12 * len(above) + 12
    purpose_top = title_top + 21 * len(title)

    def draw(pen: Pen, y: float) -> None:
        for n, line in enumerate(above):
            pen.write(LEFT, y + 10 + 12 * n, line, 8.5, colour=QUIET)
        if badge:
            width = text_width(badge, 8, bold=True) + 14
            pen.box(RIGHT - width, y, width, 16, fill=ACCENT, line=None)
            pen.write(RIGHT - width + 7, y + 11, badge, 8, bold=True, colour=(1, 1, 1))
        for n, line in enumerate(title):
            pen.write(LEFT, y + title_top + 13 + 21 * n, line, 17, bold=True, colour=ACCENT)
        for n, line in enumerate(purpose):
            pen.write(LEFT, y + purpose_top + 11 + 12.5 * n, line, 9.5, colour=QUIET)

    return Block(purpose_top + 12.5 * len(purpose) + GAP + 4, draw)


def _routing(form: Form) -> Block:
    """To whom, by which way, by when, valid when: the last two are what a desk looks for."""
    rows = [
        ("To", form.addressee, False),
        (_CHANNELS.get(form.channel, form.channel.capitalize()), form.address, False),
        ("Fax", form.fax, False),
        ("Deadline", f"at or before {say_bound(form.due, ends=True)}" if form.due else "", True),
        ("Valid only", say_window(form.valid) if form.valid else "", True),
    ]
    zone = " (Hong Kong time)"
    label_width = 78.0
    set_rows = [
        (
            label,
            set_lines(text + (zone if dated else ""), 10, WIDTH - label_width - 24, bold=dated),
            dated,
        )
        for label, text, dated in rows
        if text
    ]
    height = sum(_line_height(10) * len(lines) + 4 for _, lines, _ in set_rows) + 12

    def draw(pen: Pen, y: float) -> None:
        pen.box(LEFT, y, WIDTH, height, fill=BAND, line=None)
        pen.box(LEFT, y, 3, height, fill=ACCENT, line=None)
        at = y + 8
        for label, lines, dated in set_rows:
            pen.write(LEFT + 14, at + 10, label, 8.5, colour=QUIET)
            for line in lines:
                pen.write(LEFT + label_width, at + 10, line, 10, bold=dated)
                at += _line_height(10)
            at += 4

    return Block(height + GAP + 4, draw)


# -- the body: rows of cells, choices, lists of users --------------------------------------------


def _values(fields: Sequence[FilledField]) -> Iterator[Block]:
    for in_rows, group in groupby(fields, key=lambda one: one.field.kind in _WANTED):
        if in_rows:
            yield from (_cells(row) for row in _rows(tuple(group)))
            continue
        for one in group:
            match one.field.kind:
                case FieldKind.CHOICE:
                    yield _choice(one)
                case FieldKind.USER_IDS:
                    yield _gap(GAP / 2)
                    yield _users(one)
                case _:
                    yield _cells([one])


def _rows(fields: Sequence[FilledField]) -> list[list[FilledField]]:
    rows: list[list[FilledField]] = []
    room = 0
    for one in fields:
        wanted = _WANTED[one.field.kind]
        if wanted > room or (rows and one.field.kind is FieldKind.TEXT):
            # A row opens with a text: a name, with the phone and the address that belong to it.
            rows.append([])
            room = _ROW
        rows[-1].append(one)
        room -= wanted
    return rows


def _cells(row: Sequence[FilledField]) -> Block:
    wanted = [_WANTED.get(one.field.kind, _ROW) for one in row]
    widths = [WIDTH * part / sum(wanted) for part in wanted]
    printed = [", ".join(one.values) or _EMPTY for one in row]
    sizes = [_fitting(text, width - 14) for text, width in zip(printed, widths, strict=True)]
    lines = [
        set_lines(text, size, width - 14)
        for text, size, width in zip(printed, sizes, widths, strict=True)
    ]
    labels = [
        set_lines(one.field.label, 7.5, width - 14) for one, width in zip(row, widths, strict=True)
    ]
    head = 9.5 * max(map(len, labels))
    height = max(CELL_HEIGHT, head + _line_height(10.5) * max(map(len, lines)) + 12)

    def draw(pen: Pen, y: float) -> None:
        x = LEFT
        for place, width in enumerate(widths):
            pen.box(x, y, width, height)
            for n, label in enumerate(labels[place]):
                pen.write(x + 7, y + 11 + 9.5 * n, label, 7.5, colour=QUIET)
            for n, line in enumerate(lines[place]):
                base = y + head + 15.5 + _line_height(10.5) * n
                colour = INK if row[place].values else QUIET
                pen.write(x + 7, base, line, sizes[place], colour=colour)
            x += width

    return Block(height, draw)


def _fitting(text: str, width: float) -> float:
    widest = max(text.split(), key=lambda word: text_width(word, 1))
    fits = (size for size in _VALUE_SIZES if text_width(widest, size) <= width)
    return next(fits, _VALUE_SIZES[-1])


def _choice(one: FilledField) -> Block:
    """Every choice with a box before it; the chosen ones are ticked, and bold."""
    spots: list[tuple[float, int, str]] = []
    x, row = LEFT + 7, 0
    for choice in one.field.choices:
        width = text_width(choice, 10, bold=True) + 16
        if spots and x + width > RIGHT - 7:
            x, row = LEFT + 7, row + 1
        spots.append((x, row, choice))
        x += width + 20
    height = 20 + 17.0 * (row + 1)

    def draw(pen: Pen, y: float) -> None:
        pen.box(LEFT, y, WIDTH, height)
        pen.write(LEFT + 7, y + 11, one.field.label, 7.5, colour=QUIET)
        for x, row, choice in spots:
            chosen = choice in one.values
            top = y + 18 + 17 * row
            pen.tick_box(x, top, 10, ticked=chosen)
            pen.write(x + 16, top + 8.7, choice, 10, bold=chosen)

    return Block(height, draw)


def _users(one: FilledField) -> Block:
    """As many numbered places as the form has, so that none can be added after signing."""
    rows = -(-one.field.at_most // _SLOTS_IN_ROW)
    height = 27 + 19.0 * rows
    label = set_lines(one.field.label, 10, WIDTH - 40, bold=bool(one.values))[0]
    column = (WIDTH - 14) / _SLOTS_IN_ROW

    def draw(pen: Pen, y: float) -> None:
        pen.box(LEFT, y, WIDTH, height)
        pen.tick_box(LEFT + 7, y + 7, 10, ticked=bool(one.values))
        pen.write(LEFT + 23, y + 15.7, label, 10, bold=bool(one.values))
        for slot in range(one.field.at_most):
            x = LEFT + 7 + column * (slot % _SLOTS_IN_ROW)
            base = y + 36 + 19 * (slot // _SLOTS_IN_ROW)
            given = one.values[slot] if slot < len(one.values) else ""
            pen.write(x + 16, base, f"({slot + 1})", 8.5, colour=QUIET)
            pen.write(x + 34, base, given or _EMPTY, 10.5, colour=INK if given else QUIET)
            pen.rule(x + 34, base + 4, column - 48)

    return Block(height, draw)


# -- the end: what is declared, and by whom -------------------------------------------------------


def _note(text: str) -> Block:
    size, inset = 8.5, 9.0
    lines = set_lines(text, size, WIDTH - inset)

    def draw(pen: Pen, y: float) -> None:
        pen.write(LEFT, y + size, "•", size, colour=QUIET)
        for n, line in enumerate(lines):
            pen.write(LEFT + inset, y + size + _line_height(size) * n, line, size, colour=QUIET)

    return Block(_line_height(size) * len(lines) + 2, draw)


def _declaration(text: str) -> Block:
    lines = set_lines(text, 11, WIDTH - 28)
    height = _line_height(11) * len(lines) + 22

    def draw(pen: Pen, y: float) -> None:
        pen.box(LEFT, y + 6, WIDTH, height, line=ACCENT)
        for n, line in enumerate(lines):
            pen.write(LEFT + 14, y + 6 + 19 + _line_height(11) * n, line, 11)

    return Block(height + 12, draw)


def _signing(form: Form, fields: Sequence[FilledField]) -> Iterator[Block]:
    """Each signature with what follows it: names under its line, dates beside it."""
    starts = [n for n, one in enumerate(fields) if one.field.kind is FieldKind.SIGNATURE]
    for start, end in zip(starts, [*starts[1:], len(fields)], strict=True):
        yield _signature(form, fields[start], fields[start + 1 : end])


def _signature(form: Form, signed: FilledField, others: Sequence[FilledField]) -> Block:
    """The line to sign on with the names below it; beside it the company chop and the date."""
    left, chop_height, date_height = WIDTH * 0.6, 96.0, 34.0
    label = signed.field.label
    dates = [one for one in others if one.field.kind is FieldKind.DATE]
    named = [
        line
        for one in others
        if one not in dates
        for line in set_lines(f"{one.field.label}: {', '.join(one.values)}", 9, left - 28)
    ]
    terms = set_lines(form.signature.removeprefix(label).strip(" ()"), 7.5, left - 14)
    height = chop_height + date_height * len(dates)

    def draw(pen: Pen, y: float) -> None:
        pen.box(LEFT, y, left, height)
        pen.write(LEFT + 7, y + 12, label, 9, bold=True)
        for n, line in enumerate(terms):
            pen.write(LEFT + 7, y + 22 + 9.5 * n, line, 7.5, colour=QUIET)
        base = y + height - 10 - _line_height(9) * len(named)
        pen.rule(LEFT + 14, base - 2, left - 28, INK)
        for n, line in enumerate(named):
            pen.write(LEFT + 14, base + 10 + _line_height(9) * n, line, 9)
        pen.box(LEFT + left, y, WIDTH - left, height)
        pen.write(LEFT + left + 7, y + 12, "Company chop", 9, bold=True)
        for n, dated in enumerate(dates):
            top = y + chop_height + date_height * n
            pen.rule(LEFT + left, top, WIDTH - left, LINE)
            pen.write(LEFT + left + 7, top + 11, dated.field.label, 7.5, colour=QUIET)
            value = ", ".join(dated.values) or _EMPTY
            pen.write(LEFT + left + 7, top + 26, value, 10.5)

    return Block(height, draw)


def _together(blocks: Sequence[Block]) -> Block:
    """Several blocks as one, which no page end parts."""

    def draw(pen: Pen, y: float) -> None:
        for block in blocks:
            block.draw(pen, y)
            y += block.height

    return Block(sum(block.height for block in blocks), draw)


def _gap(height: float) -> Block:
    return Block(height, lambda pen, y: None)


def _line_height(size: float) -> float:
    return size * LEADING
