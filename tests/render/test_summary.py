"""The page an auditor opens: everything the pack proves, readable by anyone, safe to open."""

from __future__ import annotations

import re
from itertools import pairwise

import attrs
import pytest

from hkex_ops.render.pack import Outcome, Pack
from hkex_ops.render.style import STYLE
from hkex_ops.render.summary import summary
from tests.render.packs import Node, at, listing, pack_of, page_of, rollout_of, session, step

WORKED = (
    step("log-in", Outcome.PASSED, at(14, 30), "at 10.152.14.121:10022"),
    step("compare-listing", Outcome.FAILED, at(14, 35), "115 files, 114 then: 1 new"),
    step("log-out", Outcome.NOT_DONE, None),
)
LISTINGS = (
    listing("listings/01.json", at(3), a=1, b=2, c=3),
    listing("listings/02.json", at(14, 30), a=1, b=5, d=4),
    listing("listings/03.json", at(15), a=1, b=5, d=4),
)


def page(pack: Pack) -> Node:
    return page_of(summary(pack))


def tables(pack: Pack) -> dict[str, list[list[str]]]:
    """The rows of every table by its caption, headings left out."""
    return {
        one.all("caption")[0].text: [
            [cell.text for cell in row.children]
            for row in one.all("tbody")[0].children
            if row.attributes.get("class") != "group"
        ]
        for one in page(pack).all("table")
    }


def test_the_same_pack_gives_the_same_page() -> None:
    pack = pack_of(*WORKED, listings=LISTINGS)
    assert summary(pack) == summary(attrs.evolve(pack))


def test_the_outcome_comes_first_and_what_did_not_pass_right_after() -> None:
    text = page(pack_of(*WORKED)).all("main")[0].text
    assert text.index("FAILED") < text.index("The papers")
    assert "1 of 3 entries of the rundown passed; 1 failed; 1 not done" in text
    wanting = page(pack_of(*WORKED)).all("ul")[0]
    assert "failed No. 2, compare-listing (session-1): 115 files" in wanting.children[0].text
    assert "not done No. 3, log-out (session-1)" == wanting.children[1].text


def test_a_pack_that_passed_says_so() -> None:
    text = page(pack_of(WORKED[0])).text
    assert "PASSED 1 of 1 entries of the rundown passed" in text
    assert [] == page(pack_of(WORKED[0])).all("ul")[1:]


def test_every_step_is_in_the_rundown_with_outcome_finding_and_source() -> None:
    rows = tables(pack_of(*WORKED))["Every step in the order it was worked, under its session"]
    assert [
        "1",
        "Sat 2023-04-15 14:30",
        "log-in do log-in",
        "passed",
        "at 10.152.14.121:10022",
        "CD/1/2023, paragraph 1",
    ] == rows[0]
    assert ["3", "", "log-out do log-out", "not done", ""] == rows[2][:5]


def test_who_did_a_step_is_told() -> None:
    by_hand = attrs.evolve(WORKED[0], by="the settlement desk")
    assert "by the settlement desk" in page(pack_of(by_hand)).text


def test_a_session_is_called_by_its_name() -> None:
    [group] = [
        one for one in page(pack_of(*WORKED)).all("tr") if one.attributes.get("class") == "group"
    ]
    assert "Session 1" == group.text


def test_listings_are_counted_and_compared_with_the_one_before() -> None:
    [rows] = [
        found
        for caption, found in tables(pack_of(*WORKED, listings=LISTINGS)).items()
        if caption.startswith("Report folders")
    ]
    assert ["3", "3", "3"] == [row[4] for row in rows]
    assert [
        "the first",
        "1 new: d 1 gone: c 1 of another size: b",
        "the same names and sizes",
    ] == [row[5] for row in rows]


def test_rules_stand_in_the_papers_words() -> None:
    [row] = tables(pack_of())["What the papers forbid and demand, in their words"]
    assert [
        "prohibited",
        "“CPs should NOT renew”",
        "renew-ssh-key",
        "from Monday 17 April 2023 to Friday 28 April 2023",
        "CD/1/2023, paragraph 1",
    ] == row


def test_every_file_is_there_with_its_digest_and_the_chains_head() -> None:
    pack = pack_of(*WORKED)
    rows = tables(pack)["The files beside this page when it was written"]
    assert [[one.path, str(one.size_bytes), one.sha256] for one in pack.files] == rows
    text = page(pack).text
    assert pack.head.digest in text
    assert "sha256sum -c manifest-sha256.txt" in text
    assert "the fourth must print 3" in text


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", '"><img src=x>', "</style><b>"])
def test_no_text_of_the_pack_becomes_markup(hostile: str) -> None:
    pack = pack_of(
        step(hostile, Outcome.FAILED, at(14), hostile),
        rollout=rollout_of(session(hostile, at(14), at(15)), title=hostile),
        listings=(
            listing("listings/01.json", at(13)),
            listing(f"listings/{hostile}.json", at(14), **{hostile: 1}),
        ),
    )
    pack = attrs.evolve(pack, info=(("External-Description", hostile),))
    found = page(pack)
    assert [] == [one.tag for one in found.walk() if one.tag in ("script", "img")]
    assert 1 == len(found.all("style"))
    assert found.text.count(hostile) >= 6


def test_the_page_asks_nothing_of_the_network_and_runs_nothing() -> None:
    found = page(pack_of(*WORKED, listings=LISTINGS))
    links = [one.attributes["href"] for one in found.walk() if "href" in one.attributes]
    assert links
    assert [] == [link for link in links if ":" in link or link.startswith("/")]
    assert not [one for one in found.walk() if one.tag in ("script", "link", "img", "iframe")]
    assert not [name for one in found.walk() for name in one.attributes if name.startswith("on")]
    assert "url(" not in STYLE
    assert "@import" not in STYLE
    [policy] = [
        one.attributes["content"] for one in found.all("meta") if "http-equiv" in one.attributes
    ]
    assert policy.startswith("default-src 'none'")


def test_headings_go_down_one_step_at_a_time() -> None:
    found = page(pack_of(*WORKED, listings=LISTINGS))
    levels = [int(one.tag[1]) for one in found.walk() if re.fullmatch(r"h\d", one.tag)]
    assert 1 == levels[0]
    assert 1 == levels.count(1)
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_every_table_has_a_caption_and_every_cell_its_heading() -> None:
    found = page(pack_of(*WORKED, listings=LISTINGS)).all("table")
    assert found
    for table in found:
        assert table.all("caption")[0].text
        heads = [one.text for one in table.all("thead")[0].all("th")]
        assert all("col" == one.attributes["scope"] for one in table.all("thead")[0].all("th"))
        for row in table.all("tbody")[0].children:
            if row.attributes.get("class") == "group":
                continue
            assert len(heads) == len(row.children)
            said = [one.attributes.get("data-label") for one in row.children]
            assert all(label in (None, head) for label, head in zip(said, heads, strict=True))


def test_ids_are_unique_and_the_language_is_stated() -> None:
    found = page(pack_of(*WORKED))
    ids = [one.attributes["id"] for one in found.walk() if "id" in one.attributes]
    assert len(ids) == len(set(ids))
    assert "en" == found.all("html")[0].attributes["lang"]


def test_a_pack_without_sessions_steps_and_listings_still_is_a_page() -> None:
    text = page(pack_of(rollout=rollout_of())).text
    assert "Worked nothing" in text
    assert "How to check this pack" in text


# -- contrast --------------------------------------------------------------------------------------


def luminance(colour: str) -> float:
    """Relative luminance, as WCAG 2.2 defines it."""
    digits = colour if len(colour) == 6 else "".join(2 * digit for digit in colour)
    parts = [int(digits[n : n + 2], 16) / 255 for n in (0, 2, 4)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


THEMES = [
    dict(re.findall(r"--([a-z-]+):#([0-9a-f]+)", block))
    for block in re.findall(r"(--paper:[^}]*)\}", STYLE)[:2]
]


@pytest.mark.parametrize("theme", THEMES, ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["paper", "band"])
def test_every_text_can_be_read_in_light_and_dark(theme: dict[str, str], ground: str) -> None:
    inks = ("ink", "quiet", "accent", "passed", "failed", "unknown", "skipped", "refused")
    assert [] == [ink for ink in inks if contrast(theme[ink], theme[ground]) < 4.5]
    assert contrast(theme["bar-ink"], theme["bar"]) >= 4.5
