"""A catalogue says what names mean: the whole name, a known code, a date that exists."""

from __future__ import annotations

from datetime import date

import pytest
from attrs import evolve
from hypothesis import given, strategies as st

from hkex_ops.model import ReportIdentity
from hkex_ops.reports import Catalogue, DateForm, IgnoreRule, ReportRule, catalogue_faults
from tests.reports.folders import CATALOGUE, FRIDAY, NAMES, RULE


def dated(form: DateForm) -> Catalogue:
    pattern = r"TP001_(?P<business_date>.*)"
    return Catalogue((ReportRule("RRS", pattern, form, ("TP001",), house="HKCC", code="TP001"),))


@pytest.mark.parametrize(
    ("name", "identity"),
    [
        ("HKCC_TP001_20230414.csv", ReportIdentity("RRS", "HKCC", "TP001", FRIDAY)),
        ("SEOCH_TP002_20230414_T1.csv", ReportIdentity("RRS", "SEOCH", "TP002", FRIDAY, "T1")),
    ],
)
def test_a_name_is_read_by_its_groups(name: str, identity: ReportIdentity) -> None:
    assert identity == CATALOGUE.identify("RRS", name)


@pytest.mark.parametrize(
    "name",
    [
        "HKCC_TP003_20230414.csv",
        "HKCC_TP001_20230414.csv.part",
        "xHKCC_TP001_20230414.csv",
        "HKCC_TP001_20230414.csv\n",
        "hkcc_TP001_20230414.csv",
        "HKCC_TP001_20230431.csv",
        "HKCC_TP001_00000414.csv",
        "HKCC_TP001_2023041\N{FULLWIDTH DIGIT FOUR}.csv",
        "",
    ],
    ids=[
        "unknown code",
        "more behind",
        "more before",
        "line end",
        "other case",
        "no such date",
        "year nought",
        "full-width digits",
        "empty",
    ],
)
def test_a_name_that_is_only_nearly_right_is_not_recognised(name: str) -> None:
    assert CATALOGUE.identify("RRS", name) is None


def test_a_name_is_read_by_the_rules_of_its_own_service_only() -> None:
    assert CATALOGUE.identify("SDNET", "HKCC_TP001_20230414.csv") is None


def test_what_the_rule_states_serves_where_the_name_is_silent() -> None:
    rule = ReportRule(
        "RRS",
        r"positions-(?P<business_date>\d{8})-(?P<instance>\d+)\.txt",
        DateForm.YYYYMMDD,
        ("RP008",),
        house="SEOCH",
        code="RP008",
    )
    expected = ReportIdentity("RRS", "SEOCH", "RP008", FRIDAY, instance="3")
    assert expected == Catalogue((rule,)).identify("RRS", "positions-20230414-3.txt")


def test_the_name_goes_before_what_the_rule_states() -> None:
    rule = evolve(RULE, house="HKSCC", code="TP002")
    expected = ReportIdentity("RRS", "HKCC", "TP001", FRIDAY)
    assert expected == Catalogue((rule,)).identify("RRS", "HKCC_TP001_20230414.csv")


def test_the_first_rule_that_knows_the_name_decides() -> None:
    other_house = ReportRule(
        "RRS", r"(?P<code>TP001)_(?P<business_date>\d+)", DateForm.YYYYMMDD, ("TP001",), "HKCC"
    )
    rules = (evolve(other_house, codes=("TP009",)), other_house, evolve(other_house, house="SEOCH"))
    found = Catalogue(rules).identify("RRS", "TP001_20230414")
    assert ReportIdentity("RRS", "HKCC", "TP001", FRIDAY) == found


@pytest.mark.parametrize(
    ("form", "spelt"),
    [
        (DateForm.YYYYMMDD, "20230414"),
        (DateForm.DDMMYYYY, "14042023"),
        (DateForm.YYMMDD, "230414"),
    ],
)
def test_each_date_form_reads_its_spelling_and_no_other(form: DateForm, spelt: str) -> None:
    found = dated(form).identify("RRS", f"TP001_{spelt}")
    assert ReportIdentity("RRS", "HKCC", "TP001", FRIDAY) == found
    for wrong in (spelt[:-1], f"{spelt}0", "", f"{spelt[:-1]}x", "99999999"[: len(spelt)]):
        assert dated(form).identify("RRS", f"TP001_{wrong}") is None


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)))
def test_every_date_of_the_century_reads_back_in_every_form(day: date) -> None:
    spelt = {
        DateForm.YYYYMMDD: f"{day:%Y%m%d}",
        DateForm.DDMMYYYY: f"{day:%d%m%Y}",
        DateForm.YYMMDD: f"{day:%y%m%d}",
        DateForm.YYYYMMMDD: f"{day:%Y%b%d}",
    }
    assert set(DateForm) - {DateForm.NONE} == set(spelt)
    expected = ReportIdentity("RRS", "HKCC", "TP001", day)
    found = {dated(form).identify("RRS", f"TP001_{text}") for form, text in spelt.items()}
    assert {expected} == found


def test_ignored_names_are_whole_names() -> None:
    assert [True, True, False] == [
        CATALOGUE.ignores(name) for name in ("README", "README.txt", "my README")
    ]


def test_known_codes_are_told_once_in_order_and_by_service() -> None:
    other = evolve(RULE, service="SDNET", codes=("XX001",))
    more = evolve(RULE, codes=("TP002", "TP010"))
    catalogue = Catalogue((RULE, other, more))
    assert ["TP001", "TP002", "TP010"] == list(catalogue.codes("RRS"))
    assert ["XX001"] == list(catalogue.codes("SDNET"))
    assert [] == list(catalogue.codes("nobody"))


def test_a_sound_catalogue_has_no_fault() -> None:
    assert [] == list(catalogue_faults(CATALOGUE))


@pytest.mark.parametrize(
    ("path", "message", "rule"),
    [
        ("pattern", "is no regular expression: ", evolve(RULE, pattern="(TP001")),
        (
            "pattern",
            "needs a group named business_date",
            ReportRule("RRS", "TP001", DateForm.YYYYMMDD, ("TP001",), "HKCC", "TP001"),
        ),
        (
            "pattern",
            "unknown group 'kode'; known: business_date, code, house, instance, part, session",
            evolve(RULE, pattern=NAMES.replace("<session>", "<kode>")),
        ),
        (
            "house",
            "is stated neither here nor by a field of the name",
            evolve(RULE, pattern=NAMES.replace("?P<house>", "?:")),
        ),
        (
            "code",
            "is stated neither here nor by a field of the name",
            evolve(RULE, pattern=NAMES.replace("?P<code>", "?:")),
        ),
        ("codes", "names no code, so the rule would never know a name", evolve(RULE, codes=())),
        (
            "code",
            "'TP009' is not among the rule's codes, so it would never be known",
            evolve(RULE, code="TP009"),
        ),
    ],
)
def test_a_fault_of_a_rule_is_told_with_its_path(path: str, message: str, rule: ReportRule) -> None:
    [(where, said)] = catalogue_faults(Catalogue((RULE, rule)))
    assert f"reports[1].{path}" == where
    assert said.startswith(message)


def test_every_fault_of_a_catalogue_is_told_at_once() -> None:
    nothing = ReportRule("RRS", r"(?P<kode>\w+)", DateForm.YYMMDD, ())
    broken = IgnoreRule("*", "everything")
    catalogue = Catalogue((nothing, evolve(RULE, pattern="[")), ignore=(broken,))
    assert [
        "reports[0].pattern",
        "reports[0].pattern",
        "reports[0].house",
        "reports[0].code",
        "reports[0].codes",
        "reports[1].pattern",
        "ignore[0].pattern",
    ] == [path for path, _ in catalogue_faults(catalogue)]
