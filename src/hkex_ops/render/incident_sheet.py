"""A report of an incident as a PDF on A4, its timeline drawn, page after page.

Says what :mod:`hkex_ops.render.incident_parts` says. Wants the PDF engine of the extra ``forms``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hkex_ops.incidents import IncidentReport
from hkex_ops.render.html import visible
from hkex_ops.render.incident_drawing import (
    DRAWN_WIDTH,
    Bar,
    Letters,
    Rule,
    TimelineDrawing,
    draw_incident,
)
from hkex_ops.render.incident_parts import (
    Block as Part,
    Drawing,
    Facts,
    Grid,
    Points,
    Words,
    facts_of,
    sections_of,
)
from hkex_ops.render.sheet import (
    ACCENT,
    BAND,
    INK,
    LEFT,
    LINE,
    QUIET,
    WIDTH,
    Block,
    Pen,
    make_pdf,
    set_lines,
    text_width,
)

__all__ = ["incident_sheet"]

_SIZE, _LEADING = 9.0, 12.5
_CELL, _CELL_LEADING, _GAP = 8.0, 10.5, 8.0
_MOST_LINES = 40
"""Lines of one block: a cell of more is continued, on the next page where it must be."""

_FILLS = {
    "state-detected": (0.985, 0.89, 0.88),
    "state-contingency": (0.975, 0.915, 0.80),
    "state-recovered": (0.975, 0.915, 0.80),
    "state-resumed": (0.85, 0.94, 0.885),
    "state-closed": BAND,
}


def incident_sheet(report: IncidentReport) -> bytes:
    """The PDF. The same report gives the same bytes."""
    view = report.view
    blocks: list[Block] = [
        *_text(f"{report.form.name}, {report.stage}", _SIZE, colour=QUIET),
        *_text(view.title, 16, bold=True, colour=ACCENT),
        _space(4),
        *_facts(facts_of(report)),
        *_text("All times are Hong Kong's.", _SIZE, colour=QUIET),
    ]
    if report.missing:
        blocks += _heading("What is missing", 2)
        blocks += [one for item in report.missing for one in _point(item)]
    drawing = draw_incident(report)
    for section in sections_of(report):
        blocks += _heading(section.heading, section.level)
        for part in section.blocks:
            blocks += _part(part, drawing)
    if report.form.source:
        blocks += [_space(8), *_text(f"In the form of {report.form.source}.", 8, colour=QUIET)]
    footer = f"Incident {view.id}: {visible(view.title)}. Seal {report.head.digest[:16]}"
    return make_pdf(f"{report.form.name}: {visible(view.title)}", footer, _kept_together(blocks))


def _kept_together(blocks: Sequence[Block]) -> list[Block]:
    """A heading, which is of no height of its own here, stays with what follows it."""
    kept: list[Block] = []
    held: list[Block] = []
    for block in blocks:
        held.append(block)
        if not isinstance(block, _Heading):
            kept.append(_joined(held) if len(held) > 1 else block)
            held = []
    return [*kept, *held]


class _Heading(Block):
    """A block that does not stand alone at the end of a page."""


def _joined(blocks: Sequence[Block]) -> Block:
    several = tuple(blocks)

    def draw(pen: Pen, y: float) -> None:
        for one in several:
            one.draw(pen, y)
            y += one.height

    return Block(sum(one.height for one in several), draw)


def _space(height: float) -> Block:
    return Block(height, lambda pen, y: None)


def _text(
    text: str,
    size: float,
    *,
    bold: bool = False,
    colour: tuple[float, float, float] = INK,
    x: float = LEFT,
) -> Iterator[Block]:
    """Lines of a paragraph, each a block of its own."""
    leading = size * 1.38
    for line in set_lines(visible(text), size, WIDTH - (x - LEFT), bold=bold):
        yield _line(x, line, size, leading, bold=bold, colour=colour)


def _line(
    x: float,
    text: str,
    size: float,
    leading: float,
    *,
    bold: bool,
    colour: tuple[float, float, float],
) -> Block:
    return Block(
        leading,
        lambda pen, y: pen.write(x, y + size, text, size, bold=bold, colour=colour),
    )


def _heading(text: str, level: int) -> list[Block]:
    size = 12.0 if level == 2 else 10.0
    lines = set_lines(visible(text), size, WIDTH, bold=True)
    height = 14 + len(lines) * size * 1.35 + 3

    def draw(pen: Pen, y: float) -> None:
        if level == 2:
            pen.rule(LEFT, y + 8, WIDTH, ACCENT)
        for place, line in enumerate(lines):
            base = y + 14 + size + place * size * 1.35
            pen.write(LEFT, base, line, size, bold=True, colour=ACCENT if level == 2 else INK)

    return [_Heading(height, draw)]


def _point(item: str) -> Iterator[Block]:
    for place, block in enumerate(_text(item, _SIZE, x=LEFT + 12)):
        if place:
            yield block
        else:
            yield _joined((_dot(), block))


def _dot() -> Block:
    return Block(0, lambda pen, y: pen.write(LEFT + 2, y + _SIZE, "•", _SIZE))


def _part(part: Part, drawing: TimelineDrawing | None) -> Iterator[Block]:
    match part:
        case Words(lines, quiet):
            for line in lines:
                yield from _text(line, _SIZE, colour=QUIET if quiet else INK)
                yield _space(3)
        case Points(title, items):
            yield from _text(title, _SIZE, bold=True)
            for item in items:
                yield from _point(item)
            yield _space(3)
        case Facts():
            yield from _facts(part)
        case Grid():
            yield from _grid(part)
        case Drawing():
            if drawing is not None:
                yield _picture(drawing)


def _facts(facts: Facts) -> Iterator[Block]:
    wide = 90.0
    for name, said in facts.pairs:
        lines = set_lines(visible(said), _SIZE, WIDTH - wide)
        yield _fact(name, lines, wide)
    yield _space(4)


def _fact(name: str, lines: Sequence[str], wide: float) -> Block:
    def draw(pen: Pen, y: float) -> None:
        pen.write(LEFT, y + _SIZE, name, _SIZE, colour=QUIET)
        for place, line in enumerate(lines):
            pen.write(LEFT + wide, y + _SIZE + place * _LEADING, line, _SIZE)

    return Block(len(lines) * _LEADING + 1, draw)


# -- tables ----------------------------------------------------------------------------------------


def _grid(grid: Grid) -> Iterator[Block]:
    widths = _widths(grid)
    yield _Heading(13, lambda pen, y: pen.write(LEFT, y + 9, grid.caption, _CELL, colour=QUIET))
    yield _band(grid.columns, widths)
    for row in grid.rows:
        yield from _row(row, widths, grid.head)
    yield _space(8)


def _band(columns: Sequence[str], widths: Sequence[float]) -> Block:
    def draw(pen: Pen, y: float) -> None:
        pen.box(LEFT, y, WIDTH, 14, fill=BAND, line=None)
        x = LEFT
        for name, width in zip(columns, widths, strict=True):
            pen.write(x + 3, y + 10, name, _CELL, bold=True)
            x += width

    return _Heading(15, draw)


def _row(row: Sequence[str], widths: Sequence[float], head: int) -> Iterator[Block]:
    cells = [
        [
            line
            for part in said.split("\n")
            for line in set_lines(visible(part), _CELL, width - _GAP, bold=place == head)
        ]
        for place, (said, width) in enumerate(zip(row, widths, strict=True))
    ]
    deep = max(len(lines) for lines in cells)
    for start in range(0, max(deep, 1), _MOST_LINES):
        piece = [lines[start : start + _MOST_LINES] for lines in cells]
        yield _piece(piece, widths, head, ends=start + _MOST_LINES >= deep)


def _piece(
    cells: Sequence[Sequence[str]], widths: Sequence[float], head: int, *, ends: bool
) -> Block:
    height = max(len(lines) for lines in cells) * _CELL_LEADING + 6

    def draw(pen: Pen, y: float) -> None:
        x = LEFT
        for place, (lines, width) in enumerate(zip(cells, widths, strict=True)):
            for number, line in enumerate(lines):
                base = y + 3 + _CELL + number * _CELL_LEADING
                pen.write(x + 3, base, line, _CELL, bold=place == head)
            x += width
        if ends:
            pen.rule(LEFT, y + height - 1, WIDTH, LINE)

    return Block(height, draw)


def _widths(grid: Grid) -> list[float]:
    """Every column as wide as it wants; where that is too much, the widest give way."""
    wanted: list[float] = []
    least: list[float] = []
    for place, name in enumerate(grid.columns):
        said = [name, *(line for row in grid.rows for line in row[place].split("\n"))]
        words = [word for one in said for word in one.split()] or [""]
        bold = place == grid.head
        wanted.append(max(text_width(visible(one), _CELL, bold=True) for one in said) + _GAP)
        widest = max(text_width(visible(word), _CELL, bold=bold) for word in words) + _GAP
        least.append(min(max(widest, 30.0), WIDTH / len(grid.columns)))
    spare = WIDTH - sum(wanted)
    if spare >= 0:
        wanted[_longest(wanted)] += spare
        return wanted
    over = [max(one - few, 0.0) for one, few in zip(wanted, least, strict=True)]
    room = max(WIDTH - sum(least), 0.0)
    # Roots, because a column of sentences is to have much more than one of words, not all of it.
    shares = [one**0.5 for one in over]
    whole = sum(shares) or 1.0
    fitted = [few + room * share / whole for few, share in zip(least, shares, strict=True)]
    return _levelled(fitted, wanted)


def _longest(widths: Sequence[float]) -> int:
    return max(range(len(widths)), key=lambda place: widths[place])


def _levelled(fitted: Sequence[float], wanted: Sequence[float]) -> list[float]:
    """No column wider than it wants; what that leaves goes to the widest."""
    widths = [min(one, want) for one, want in zip(fitted, wanted, strict=True)]
    widths[_longest(wanted)] += WIDTH - sum(widths)
    return widths


# -- the timeline ----------------------------------------------------------------------------------


def _picture(drawing: TimelineDrawing) -> Block:
    scale = WIDTH / DRAWN_WIDTH

    def draw(pen: Pen, y: float) -> None:
        for one in drawing.marks:
            _mark(pen, one, y + 4, scale)

    return Block(drawing.height * scale + 16, draw)


def _mark(pen: Pen, one: Rule | Bar | Letters, top: float, scale: float) -> None:
    match one:
        case Rule(x1, y1, x2, y2, kind):
            if y1 == y2:
                pen.rule(LEFT + x1 * scale, top + y1 * scale, (x2 - x1) * scale)
            elif kind == "grid":
                pen.box(
                    LEFT + x1 * scale,
                    top + y1 * scale,
                    0.2,
                    (y2 - y1) * scale,
                    fill=LINE,
                    line=None,
                )
        case Bar(x, y, width, height, kind, rough):
            fill = _FILLS.get(kind.removeprefix("bar "), BAND)
            pen.box(
                LEFT + x * scale,
                top + y * scale,
                width * scale,
                height * scale,
                fill=fill,
                line=ACCENT,
                dashed=rough,
            )
        case Letters(x, y, text, kind, anchor):
            size = 6.6
            left = LEFT + x * scale
            wide = text_width(text, size, bold=kind == "day")
            left -= {"start": 0.0, "middle": wide / 2, "end": wide}[anchor]
            colour = QUIET if kind in ("hour", "quiet") else INK
            pen.write(left, top + y * scale, text, size, bold=kind == "day", colour=colour)
