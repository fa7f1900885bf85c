"""Names spelt and read: what a template spells it reads back, and nothing else is taken for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pytest
from hypothesis import given, strategies as st

from hkex_ops.errors import UsageError
from hkex_ops.reports import DateForm, InstanceForm, NameCase, NameGrammar, NameParts

HOUSES = ("HKCC", "SEOCH", "HK")
CODES = ("TP001", "TP0011", "RP008")
SESSIONS = {"T": "T", "T+1": "T1"}
PARTS = {"control": "CTL", "data": "DAT"}
FIELDS = {"title": "[A-Z][A-Za-z ]*[a-z]", "zeros": "0{6}"}
DAY = date(2023, 4, 14)


def grammar(template: str, case: NameCase = NameCase.EXACT) -> NameGrammar:
    return NameGrammar(
        template,
        houses=HOUSES,
        codes=CODES,
        sessions=SESSIONS,
        parts=PARTS,
        fields=FIELDS,
        case=case,
    )


def fault(template: str) -> str:
    with pytest.raises(UsageError) as raised:
        grammar(template)
    return str(raised.value)


# A value for every field that a template may have, spelt in no way that a parting sign is.
PIECES = {
    "{house}": st.sampled_from(HOUSES),
    "{code}": st.sampled_from(CODES),
    "{session}": st.sampled_from(tuple(SESSIONS)),
    "{part}": st.sampled_from(tuple(PARTS)),
    "{title}": st.from_regex(FIELDS["title"], fullmatch=True),
    "{zeros}": st.just("000000"),
    **{
        f"{{business_date:{form}}}": st.dates(date(2000, 1, 1), date(2099, 12, 31))
        for form in DateForm
        if form is not DateForm.NONE
    },
    "{instance:hhmm}": st.from_regex(r"[0-9]{4}", fullmatch=True),
    "{instance:hhmmss}": st.from_regex(r"[0-9]{6}", fullmatch=True),
    "{instance:number}": st.integers(0, 10**6).map(str),
    "{instance:word}": st.from_regex(r"[A-Za-z0-9]{1,8}", fullmatch=True),
}
SIGNS = st.sampled_from(["_", "-", ".", "__", "[[x]]", "{{", "%", "("])


def field_of(piece: str) -> str:
    return piece.strip("{}").partition(":")[0]


@st.composite
def named(draw: st.DrawFn) -> tuple[str, NameParts]:
    """A template with no field twice, and parts that it can spell."""
    chosen = draw(st.lists(st.sampled_from(sorted(PIECES)), min_size=1, unique_by=field_of))
    template = draw(SIGNS)
    values: dict[str, object] = {}
    for piece in chosen:
        if draw(st.booleans()):
            template += f"[{draw(SIGNS)}{piece}]"
            if draw(st.booleans()):
                continue
        else:
            template += draw(SIGNS) + piece
        values[field_of(piece)] = draw(PIECES[piece])
    more = {name: str(values.pop(name)) for name in FIELDS if name in values}
    return template + ".csv", NameParts(**values, more=more)  # type: ignore[arg-type]


@given(named())
def test_what_is_spelt_reads_back_as_what_it_was(drawn: tuple[str, NameParts]) -> None:
    """Format then parse is the identity, for every template whose fields are parted."""
    template, parts = drawn
    made = grammar(template)
    name = made.format(parts)
    read = made.parse(name)
    assert read is not None
    assert name == made.format(read)
    assert parts == read


@given(named(), st.text(max_size=30))
def test_a_text_that_is_no_name_is_read_as_none(drawn: tuple[str, NameParts], text: str) -> None:
    """Whatever is read spells itself again, and nothing else is read."""
    made = grammar(drawn[0])
    read = made.parse(text)
    assert read is None or text.casefold() == made.format(read).casefold()


@pytest.mark.parametrize(
    ("template", "name", "parts"),
    [
        (
            "rpi______-_____-__-_____-{business_date:yymmdd}-{instance:hhmm}.lis",
            "rpi______-_____-__-_____-230414-0900.lis",
            NameParts(DAY, instance="0900"),
        ),
        (
            "P-{zeros}-{business_date:YYYYMMDD}_{code} - {title}.PDF",
            "P-000000-20230414_TP001 - Overnight Cover.PDF",
            NameParts(DAY, code="TP001", more={"zeros": "000000", "title": "Overnight Cover"}),
        ),
        (
            "F_PS04_{house}_{business_date:DDMMYYYY}.CSV.gz",
            "F_PS04_HK_14042023.CSV.gz",
            NameParts(DAY, house="HK"),
        ),
        (
            "CEOD200_{business_date:yyyymmmdd}.{code}",
            "CEOD200_2023Apr14.TP0011",
            NameParts(DAY, code="TP0011"),
        ),
        (
            "{code}_{business_date:YYYYMMDD}[_{session}]_{part}.zip",
            "RP008_20230414_T1_CTL.zip",
            NameParts(DAY, code="RP008", session="T+1", part="control"),
        ),
        (
            "OTC_EOD_CMS_{house}.zip",
            "OTC_EOD_CMS_SEOCH.zip",
            NameParts(house="SEOCH"),
        ),
    ],
)
def test_names_that_exchanges_really_use_are_read(
    template: str, name: str, parts: NameParts
) -> None:
    """The forms met at HKEX, LCH, NSE, CME, HKSCC and ASX."""
    assert parts == grammar(template).parse(name)


@pytest.mark.parametrize(
    "name",
    [
        "hkcc_TP001_20230414.csv",
        "HKCC_TP002_20230414.csv",
        "HKCC_TP001_20230431.csv",
        "HKCC_TP001_20230414.csv.part",
        "HKCC_TP001_20230414.csv\n",
        "xHKCC_TP001_20230414.csv",
        "HKCC_TP001_2023041\N{FULLWIDTH DIGIT FOUR}.csv",
        "",
    ],
)
def test_a_name_that_is_only_nearly_right_is_not_read(name: str) -> None:
    """The whole name, in its own case, with a date that exists."""
    assert grammar("{house}_{code}_{business_date:YYYYMMDD}.csv").parse(name) is None


def test_where_case_does_not_matter_words_come_back_as_they_are_listed() -> None:
    """So that one report has one identity however its name is written."""
    made = grammar("{house}-{code}-{business_date:yyyymmmdd}.lis", NameCase.ANY)
    expected = NameParts(DAY, house="HKCC", code="TP001")
    for name in ("hkcc-tp001-2023apr14.LIS", "HKCC-TP001-2023APR14.lis"):
        assert expected == made.parse(name)


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{house", "has a { that opens or closes nothing: double it"),
        ("a]{house}", "has a ] that opens or closes nothing: double it"),
        ("[_{house}", "has a [ that is never closed"),
        ("[_x]{house}", "brackets around nothing that a name could leave out"),
        ("{kode}", "has the unknown field 'kode', known are house, code"),
        ("{house}_{house}", "has the field house twice"),
        ("{business_date}", "wants {business_date:FORM}, and FORM one of YYYYMMDD"),
        ("{business_date:DMY}", "wants {business_date:FORM}"),
        ("{instance}", "wants {instance:FORM}, and FORM one of hhmm"),
        ("{house:x}", "the field house takes no form"),
        ("{house}{code}", "has house and code side by side with nothing to part them"),
    ],
)
def test_what_is_wrong_with_a_template_is_said(template: str, said: str) -> None:
    """In words that say what to write."""
    assert said in fault(template)


def test_a_field_without_its_words_is_a_fault() -> None:
    """A rule that spells sessions says which there are."""
    with pytest.raises(UsageError, match="the rule does not say which there are"):
        NameGrammar("{session}")


@pytest.mark.parametrize(
    ("parts", "missing"),
    [
        (NameParts(house="HKCC"), "code"),
        (NameParts(house="NSCC", code="TP001"), "house"),
        (NameParts(house="HKCC", code="TP001 "), "code"),
    ],
)
def test_what_cannot_be_spelt_is_refused_with_the_field(parts: NameParts, missing: str) -> None:
    """Never a name with a hole in it."""
    with pytest.raises(UsageError, match=f"cannot be spelt without {missing}"):
        grammar("{house}_{code}").format(parts)


def test_a_template_tells_its_forms() -> None:
    """What others need to know of it."""
    made = grammar("{business_date:yymmdd}[-{instance:number}]")
    assert (DateForm.YYMMDD, InstanceForm.NUMBER) == (made.date_form, made.instance_form)
    assert (DateForm.NONE, None) == (grammar("{code}").date_form, grammar("{code}").instance_form)
    words: Mapping[str, str] = {}
    assert words == grammar("{code}").parse("TP001").more  # type: ignore[union-attr]
