"""Reports of an incident: approved word by word, readable by eye and ear, honest about holes."""

from __future__ import annotations

import re
from datetime import date
from itertools import pairwise

import pytest
from attrs import evolve

from hkex_ops.errors import UsageError
from hkex_ops.incidents import (
    FORMS,
    Attach,
    Given,
    IncidentLog,
    IncidentReport,
    Note,
    OpenIncident,
    Part,
    ReportStage,
    Tell,
    TimeTold,
    form_named,
    make_report,
    parse_told,
)
from hkex_ops.model import Audience, Outcome, Receipt, Severity
from hkex_ops.render.incident_drawing import Bar, Letters, draw_incident
from hkex_ops.render.incident_markdown import incident_markdown
from hkex_ops.render.incident_page import incident_page, incident_style
from hkex_ops.render.incident_parts import sections_of
from tests.incidents.day_of_2010 import DAY, SEAL, at, report_of_2010
from tests.incidents.golden_reports import FOLDER, PDF_TEXT, REPORTS, text_of_pdf
from tests.render.packs import Node, page_of
from tests.render.test_summary import contrast

STAGES = list(ReportStage)


def page(form: str = "hsil", stage: ReportStage = ReportStage.FINAL) -> Node:
    return page_of(incident_page(report_of_2010(form, stage)))


def small(*entries: Given, title: str = "It stopped") -> IncidentLog:
    log = IncidentLog("small")
    opening = OpenIncident(title, Severity.MINOR, DAY)
    log.handle(Given(opening, "desk", parse_told("10:00", DAY)), at(10))
    for one in entries:
        log.handle(one, at(23))
    return log


def report_of(log: IncidentLog, stage: ReportStage = ReportStage.FINAL) -> IncidentReport:
    return make_report(log.view, FORMS["full"], stage, at(23), head=SEAL)


# -- approved --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_is_the_approved_one(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == REPORTS[name]()


def test_the_words_of_the_pdf_are_the_approved_ones() -> None:
    pytest.importorskip("reportlab", reason="the extra `forms` is not installed")
    pytest.importorskip("pypdf", reason="the extra `forms` is not installed")
    assert (FOLDER / PDF_TEXT).read_text(encoding="utf-8") == text_of_pdf()


def test_the_approved_reports_say_where_they_come_from() -> None:
    told = (FOLDER / "PROVENANCE.md").read_text(encoding="utf-8")
    assert "day_of_2010.py" in told
    assert sorted([*REPORTS, PDF_TEXT, "PROVENANCE.md"]) == sorted(
        path.name for path in FOLDER.iterdir()
    )


def test_the_pdf_is_the_same_bytes_again() -> None:
    pytest.importorskip("reportlab", reason="the extra `forms` is not installed")
    from hkex_ops.render.incident_sheet import incident_sheet

    assert incident_sheet(report_of_2010()) == incident_sheet(report_of_2010())


# -- what stands in it -----------------------------------------------------------------------------


def test_the_form_of_hsil_has_the_sections_of_annex_1_in_their_order() -> None:
    headings = [one.text for one in page().walk() if re.fullmatch(r"h[23]", one.tag)]
    assert [
        "1. Background",
        "2. The system",
        "3. Incident summary",
        "a. The incident",
        "b. The contingency arrangement",
        "c. Communication",
        "4. Root cause of the incident and actions taken to address the issue",
        "a. Root cause",
        "b. Actions",
        "5. Reviews and follow-up actions",
        "6. Conclusion",
        "Appendix: chronology of key events",
        "Other information for reference",
    ] == headings


def test_the_form_of_hkex_has_the_sections_of_annex_2_in_their_order() -> None:
    headings = [one.text for one in page("hkex").walk() if re.fullmatch(r"h[23]", one.tag)]
    assert [
        "Summary of the incident",
        "Assessment of the impact on operations",
        "Cause",
        "Follow-up actions",
        "Appendix I: details of events",
        "Appendix II: other information for reference",
    ] == headings


def test_enquiries_are_counted_by_kind() -> None:
    """31 public enquiries, told in two rows, and 39 of the media (HKEx report, paragraph 9)."""
    assert {"public": 31, "media": 39} == report_of_2010().view.enquiries
    [table] = [one for one in page().all("table") if "by kind" in one.all("caption")[0].text]
    rows = [[cell.text for cell in row.children] for row in table.all("tbody")[0].children]
    assert [["Public", "31"], ["Media", "39"]] == rows


def test_no_form_leaves_a_part_out() -> None:
    for form in FORMS.values():
        parts = [part for section in form.sections for part in section.parts]
        assert sorted(Part) == sorted(parts), form.id


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_tells_what_is_known_and_only_the_last_concludes(stage: ReportStage) -> None:
    text = incident_markdown(report_of_2010("full", stage))
    assert "Who was told" in text
    assert (stage is ReportStage.FINAL) == ("Immediate remedial actions were taken" in text)
    assert (stage is not ReportStage.INITIAL) == ("Actions, with their owners" in text)


def test_an_unknown_form_is_told_with_those_that_there_are() -> None:
    with pytest.raises(UsageError, match="there is no form 'sfc'; known: full, hsil, hkex"):
        form_named("sfc")


def test_a_final_report_says_what_it_lacks() -> None:
    assert (
        "nobody owns the incident",
        "no affected system is named",
        "the service is not resumed: the incident is detected",
        "no cause is stated",
        "nothing is said of what was done about the cause",
    ) == report_of(small()).missing


def test_a_receiver_of_whom_nobody_knows_is_to_be_asked() -> None:
    receipt = Receipt("mail", "ops@broker.example", at(10, 5), Outcome.UNKNOWN)
    told = Given(Tell(Audience.CLIENTS, receipt), "desk", TimeTold.exactly(at(10, 5)), "It stopped")
    found = report_of(small(told), ReportStage.INITIAL)
    assert "whether ops@broker.example was told is not known: ask" in found.missing
    assert "not known: ask" in incident_markdown(found)


def test_the_report_of_2010_lacks_nothing() -> None:
    assert () == report_of_2010().missing


# -- read by ear -----------------------------------------------------------------------------------

EVERY = [(form, stage) for form in FORMS for stage in STAGES]


@pytest.mark.parametrize(("form", "stage"), EVERY)
def test_a_page_is_read_in_the_order_of_its_form(form: str, stage: ReportStage) -> None:
    """What is heard is the order of the elements: that of the sections, top to bottom, and nothing
    in the style puts anything elsewhere."""
    wanted = [one.heading for one in sections_of(report_of_2010(form, stage))]
    found = page(form, stage).all("main")[0].children
    headings = [one.text for one in found if re.fullmatch(r"h[23]", one.tag)]
    assert wanted == headings
    assert ["p", "h1", "div", "dl"] == [one.tag for one in found[:4]]
    assert not re.search(r"[;{](order|float|flex-direction|grid-area|direction):", incident_style())


@pytest.mark.parametrize(("form", "stage"), EVERY)
def test_headings_go_down_one_step_at_a_time(form: str, stage: ReportStage) -> None:
    levels = [int(one.tag[1]) for one in page(form, stage).walk() if re.fullmatch(r"h\d", one.tag)]
    assert (1, 1) == (levels[0], levels.count(1))
    assert all(after - before <= 1 for before, after in pairwise(levels))


@pytest.mark.parametrize(("form", "stage"), EVERY)
def test_every_table_says_what_it_is_and_every_row_which(form: str, stage: ReportStage) -> None:
    tables = page(form, stage).all("table")
    assert tables
    for table in tables:
        assert table.children[0].tag == "caption"
        assert table.all("caption")[0].text
        heads = [one.text for one in table.all("thead")[0].all("th")]
        for row in table.all("tbody")[0].children:
            assert len(heads) == len(row.children)
            assert ["row"] == [one.attributes["scope"] for one in row.children if one.tag == "th"]
            for cell, head in zip(row.children, heads, strict=True):
                assert cell.attributes.get("data-label") in (None, head)


def test_the_drawing_is_told_in_words_and_reached_by_keyboard() -> None:
    found = page()
    [svg] = [one for one in found.all("svg") if one.attributes.get("role") == "img"]
    ids = {one.attributes["id"]: one for one in found.walk() if "id" in one.attributes}
    named = svg.attributes["aria-labelledby"].split()
    assert ["Timeline of the incident", ids["timeline-desc"].text] == [ids[n].text for n in named]
    assert (
        "detected since about 09:52; contingency since about 10:02; recovered since about 10:27; "
        "resumed since 10:32:45;" in ids["timeline-desc"].text
    )
    [region] = [one for one in found.walk() if one.attributes.get("role") == "region"]
    assert ("0", "Timeline, scrolls sideways") == (
        region.attributes["tabindex"],
        region.attributes["aria-label"],
    )


def test_every_entry_of_the_drawing_is_in_the_chronology_too() -> None:
    found = page()
    [svg] = [one for one in found.all("svg") if one.attributes.get("role") == "img"]
    drawn = {one.text for one in svg.all("text") if one.attributes.get("class") == "number"}
    [table] = [one for one in found.all("table") if "What happened" in one.all("caption")[0].text]
    told = {row.children[-1].text for row in table.all("tbody")[0].children}
    assert drawn
    assert set() == drawn - told


def test_the_page_asks_nothing_of_the_network_and_runs_nothing() -> None:
    found = page()
    assert not [one for one in found.walk() if {"href", "src"} & one.attributes.keys()]
    assert not [one for one in found.walk() if one.tag in ("script", "link", "img", "iframe")]
    assert "url(" not in incident_style()
    assert "@import" not in incident_style()
    [policy] = [
        one.attributes["content"] for one in found.all("meta") if "http-equiv" in one.attributes
    ]
    assert policy.startswith("default-src 'none'")


def test_ids_are_unique_and_the_language_is_stated() -> None:
    found = page_of(incident_page(report_of(small())))
    ids = [one.attributes["id"] for one in found.walk() if "id" in one.attributes]
    assert len(ids) == len(set(ids))
    assert "en" == found.all("html")[0].attributes["lang"]


# -- read by eye -----------------------------------------------------------------------------------


def colours(*, dark: bool) -> dict[str, str]:
    """The variables as a browser resolves them, later blocks over earlier ones."""
    style = incident_style()
    blocks = re.findall(r"(@media \(prefers-color-scheme:dark\)\{)?:root\{([^}]*)\}", style)
    found: dict[str, str] = {}
    for media, block in blocks:
        if not media or dark:
            found |= dict(re.findall(r"--([a-z-]+):#([0-9a-f]+)", block))
    if dark:
        # The print block comes last in the text and holds on paper alone.
        dark_blocks = [block for media, block in blocks if media]
        for block in dark_blocks:
            found |= dict(re.findall(r"--([a-z-]+):#([0-9a-f]+)", block))
    return found


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_colour_of_text_has_a_contrast_of_4_5_on_what_it_stands_on(dark: bool) -> None:
    """Found in the style: whatever colours text is read on paper and on the band (WCAG 2.2 AA)."""
    theme = colours(dark=dark)
    inks = set(re.findall(r"[;{]color:var\(--([a-z-]+)\)", incident_style()))
    inks |= {"ink", "quiet"}
    low = {
        (ink, ground)
        for ink in inks
        for ground in ("paper", "band")
        if contrast(theme[ink], theme[ground]) < 4.5
    }
    assert set() == low
    bars = ("failed-bar", "unknown-bar", "passed-bar", "band")
    assert [] == [bar for bar in bars if contrast(theme["ink"], theme[bar]) < 4.5]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_outline_of_the_drawing_has_a_contrast_of_3(dark: bool) -> None:
    theme = colours(dark=dark)
    strokes = set(
        re.findall(r"stroke:var\(--(failed|unknown|passed|quiet|accent)\)", incident_style())
    )
    assert {"failed", "unknown", "passed", "accent"} <= strokes
    assert [] == [one for one in strokes if contrast(theme[one], theme["paper"]) < 3]


# -- the drawing -----------------------------------------------------------------------------------


def test_each_state_is_a_bar_from_its_moment_to_the_next_ones() -> None:
    drawing = draw_incident(report_of_2010())
    assert drawing is not None
    bars = [one for one in drawing.marks if isinstance(one, Bar) and "state-" in one.kind]
    assert ["detected", "contingency", "recovered", "resumed"] == [
        one.kind.removeprefix("bar state-") for one in bars
    ]
    assert [True, True, True, False] == [one.rough for one in bars]
    ends = [one.x + one.width for one in bars[:-1]]
    assert ends == [one.x for one in bars[1:]]


def test_nothing_drawn_lies_over_anything_else() -> None:
    drawing = draw_incident(report_of_2010())
    assert drawing is not None
    bars = [one for one in drawing.marks if isinstance(one, Bar)]
    for place, one in enumerate(bars):
        for other in bars[place + 1 :]:
            across = one.x < other.x + other.width and other.x < one.x + one.width
            assert not (across and one.y < other.y + other.height and other.y < one.y + one.height)
    assert all(0 <= one.x <= 1000 and one.y <= drawing.height for one in bars)


def test_an_incident_of_many_days_still_is_a_drawing() -> None:
    entries = [
        Given(Note(), "desk", parse_told(f"2010-01-{day}T10:00", DAY), f"day {day}")
        for day in range(10, 23)
    ]
    drawing = draw_incident(report_of(small(*entries)))
    assert drawing is not None
    hours = [one.text for one in drawing.marks if isinstance(one, Letters) and one.kind == "hour"]
    assert 2 <= len(hours) <= 15


def test_what_finds_no_room_is_counted_and_not_drawn() -> None:
    one = Given(Note(), "desk", parse_told("10:05", DAY), "again")
    drawing = draw_incident(report_of(small(*[one] * 30)))
    assert drawing is not None
    drawn = [mark for mark in drawing.marks if isinstance(mark, Bar) and "entry" in mark.kind]
    assert (20, 10) == (len(drawn), drawing.left_out)


def test_without_any_known_time_nothing_is_drawn() -> None:
    log = IncidentLog("small")
    opening = OpenIncident("It stopped", Severity.MINOR, DAY)
    log.handle(Given(opening, "desk", parse_told("unknown", DAY)), at(10))
    assert draw_incident(report_of(log)) is None
    assert "<svg" not in incident_page(report_of(log)).replace('<svg class="icon"', "")


# -- hostile words ---------------------------------------------------------------------------------

HOSTILE = [
    "<script>alert(1)</script>",
    "</style><b>",
    "| a | b |\n# heading",
    "\x1b[31mred",
    "\u202eeerht",
]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_word_of_the_log_becomes_markup(hostile: str) -> None:
    attached = Attach("index", "index/mode-changed", "k", {"reason": hostile})
    log = small(
        Given(Note(), "desk", parse_told("10:05", DAY), hostile, hostile),
        Given(attached, "desk", parse_told("10:05", DAY), hostile),
        title=hostile if hostile.isprintable() else "It stopped",
    )
    found = page_of(incident_page(report_of(log)))
    assert [] == [one.tag for one in found.walk() if one.tag in ("script", "b", "img")]
    assert 1 == len(found.all("style"))
    text = incident_markdown(report_of(log))
    assert "\x1b" not in text
    assert [] == [line for line in text.split("\n") if line.startswith("# heading")]
    assert 1 == len([line for line in text.split("\n") if line.startswith("# ")])


def test_an_entry_written_days_later_says_so() -> None:
    log = small()
    late = Given(Note(), "desk", parse_told("10:05", DAY), "remembered")
    log.handle(late, at(9, day=date(2010, 1, 25)))
    text = incident_markdown(evolve(report_of(log), made=at(10, day=date(2010, 1, 25))))
    assert "remembered<br>(entered 2010-01-25 09:00)" in text
