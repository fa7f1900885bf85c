"""Catalogue files: what ships is sound, and what is wrong is told with its place."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from hkex_ops.config.catalogues import (
    shipped_catalogue,
    shipped_catalogue_text,
    shipped_catalogues,
    structure_catalogue,
)
from hkex_ops.config.report_sources import (
    Manners,
    ReportSourceSettings,
    UploadSettings,
    has_dated_folder,
    manners_faults,
    of_business_date,
)
from hkex_ops.errors import ConfigError, UsageError
from hkex_ops.model import ReportIdentity
from hkex_ops.reports import Catalogue

FRIDAY = date(2023, 4, 14)
RULE = '[[reports]]\nservice = "RRS"\nhouse = "HKCC"\ncodes = ["TP001"]\n'
NAME = 'name = "{code}_{business_date:YYYYMMDD}.csv"\n'


def faults(text: str) -> list[tuple[str, str]]:
    with pytest.raises(ConfigError) as raised:
        structure_catalogue(text, document="x.toml")
    return [(fault.path, fault.message) for fault in raised.value.faults]


@pytest.mark.parametrize("name", sorted(shipped_catalogues()))
def test_what_ships_says_of_itself_whether_it_is_an_example(name: str) -> None:
    """In the file's first word, in its data and in its name."""
    catalogue = shipped_catalogue(name)
    assert catalogue.example == name.startswith("example-")
    assert catalogue.example == ("EXAMPLE" in shipped_catalogue_text(name).splitlines()[0])
    assert all(rule.source or rule.title for rule in catalogue.reports if not catalogue.example)


@pytest.mark.parametrize(
    ("name", "service", "file", "identity"),
    [
        (
            "hkex-rpf",
            "RPF",
            "RPI______-_____-__-_____-230414-0900.LIS",
            ReportIdentity("RPF", "HKCC+SEOCH", "RPI", FRIDAY, instance="0900"),
        ),
        (
            "hkex-rpf",
            "RPF",
            "rpf______-_____-__-_____-230414.lis",
            ReportIdentity("RPF", "HKCC+SEOCH", "RPF", FRIDAY),
        ),
        (
            "example-rrs",
            "RRS",
            "SEOCH_RP008_20230414.csv",
            ReportIdentity("RRS", "SEOCH", "RP008", FRIDAY),
        ),
        (
            "example-hkscc-rap",
            "RAP",
            "RMAMR03_20230414_1130_CTL.zip",
            ReportIdentity("RAP", "HKSCC", "RMAMR03", FRIDAY, instance="1130"),
        ),
        (
            "example-lch",
            "LCH",
            "P-PBNK-XXX-20230414-000000_REP00019 - Overnight Cover Distribution.PDF",
            ReportIdentity("LCH", "LCH Ltd", "REP00019", FRIDAY),
        ),
        (
            "example-eurex-cre",
            "CRE",
            "90CC750ABCFR20230414.xml",
            ReportIdentity("CRE", "ECAG", "CC750", FRIDAY),
        ),
    ],
)
def test_another_house_is_a_file_and_no_code(
    name: str, service: str, file: str, identity: ReportIdentity
) -> None:
    """Each shipped catalogue reads a name of the house it is of."""
    assert identity == shipped_catalogue(name).identify(service, file)


def test_a_name_without_a_date_has_that_of_its_folder() -> None:
    """ASX repeats its names daily; without a dated folder such a name means nothing."""
    catalogue = structure_catalogue(RULE + 'name = "OTC_EOD_{code}.zip"\n', document="x.toml")
    expected = ReportIdentity("RRS", "HKCC", "TP001", FRIDAY)
    assert expected == catalogue.identify("RRS", "OTC_EOD_TP001.zip", FRIDAY)
    assert catalogue.identify("RRS", "OTC_EOD_TP001.zip") is None


def test_what_is_included_comes_after_the_own_rules_under_the_own_service() -> None:
    """So that an own rule goes before a shipped one."""
    text = '[[include]]\ncatalogue = "hkex-rpf"\nservice = "RRS"\n' + RULE + NAME
    catalogue = structure_catalogue(text, document="x.toml")
    assert ["TP001", "RPI", "RPP", "RPF", "RPF-DAY"] == list(catalogue.codes("RRS"))
    assert [] == list(catalogue.codes("RPF"))


@pytest.mark.parametrize(
    ("more", "path", "said"),
    [
        ("", "reports[0].name", "is missing: write how the reports are named"),
        (NAME + 'pattern = "x"\n', "reports[0].pattern", "says again what name says"),
        ('pattern = "TP001"\n', "reports[0].date_form", "is missing: say how the date is spelt"),
        (NAME + 'fields = { x = "(" }\n', "reports[0].fields.x", "is no regular expression"),
        (NAME + 'fields = { x = "(a)" }\n', "reports[0].fields.x", "must have no group"),
        (NAME + 'parts = { a = "A", b = "B" }\n', "reports[0].parts", "no field of the name says"),
        (NAME + "due = [{}]\n", "reports[0].due[0].by", "is missing: say by when"),
        (
            NAME + 'due = [{ by = "09:00", times = ["10:00"] }]\n',
            "reports[0].due[0].by",
            "leave one out",
        ),
        (
            NAME + 'due = [{ times = ["09:00", "10:00"] }]\n',
            "reports[0].due[0].times",
            "no field of the name says which one a file is",
        ),
        (
            NAME + 'due = [{ every_min = 0, from = "09:00", to = "10:00" }]\n',
            "reports[0].due[0].every_min",
            "must be at least 1",
        ),
        (
            NAME + 'due = [{ every_min = 5, from = "10:00", to = "09:00" }]\n',
            "reports[0].due[0].to",
            "lies before",
        ),
        (NAME + 'due = [{ by = "9" }]\n', "reports[0].due[0].by", "is no cut-off; write it as"),
        (
            NAME + 'due = [{ by = "09:00", codes = ["TP002"] }]\n',
            "reports[0].due[0].codes",
            "TP002 not of the rule",
        ),
        (
            NAME + 'due = [{ by = "09:00", session = "T2" }]\n',
            "reports[0].due[0].session",
            "unknown session 'T2'; known: T, T+1",
        ),
        (
            NAME + 'due = [{ by = "09:00", on = "weekly" }]\n',
            "reports[0].due[0].weekdays",
            "goes with on",
        ),
        (
            NAME + 'due = [{ by = "09:00", weekdays = ["Sunday"], on = "weekly" }]\n',
            "reports[0].due[0].weekdays[0]",
            "unknown word 'Sunday'; did you mean 'Monday'?",
        ),
        (
            NAME + '[[phases]]\nname = "p"\nservice = "RRS"\nfrom = 2023-04-14\nto = 2023-04-13\n',
            "phases[0].to",
            "2023-04-13 lies before from",
        ),
        (
            NAME
            + '[[phases]]\nname = "p"\nservice = "X"\nfrom = 2023-04-13\nto = 2023-04-13\n'
            + "nothing = true\n",
            "phases[0].service",
            "no rule is of the service 'X'",
        ),
        (
            NAME + '[[include]]\ncatalogue = "hkex-rfp"\n',
            "include[0].catalogue",
            "no such catalogue ships; did you mean 'hkex-rpf'?",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(more: str, path: str, said: str) -> None:
    """In words that say what to write."""
    found = faults(RULE + more)
    assert any(where == path and said in message for where, message in found), found


def test_what_is_wrong_with_the_shape_hides_nothing_of_the_sense() -> None:
    """All of it at once, within one rule and beside it: nobody mends a file fault by fault."""
    found = faults(
        'title = 3\n[[reports]]\nservice = "RRS"\nhouses = "HKCC"\ncodes = ["TP001"]\n'
        'name = "{house}_{cod}_{business_date:YYYYMMDD}.csv"\n'
        'due = [{ by = "nine", grace_min = -1 }, { by = "09:00", session = "T2" }]\n'
        '[[ignore]]\npattern = "("\n'
        '[[phases]]\nname = "p"\nservice = "X"\nfrom = 2023-04-13\nto = 2023-04-12\ncomes = 3\n'
        '[[include]]\ncatalogue = "hkex-rfp"\n'
    )
    assert [
        "ignore[0].pattern",
        "ignore[0].reason",
        "include[0].catalogue",
        "phases[0].comes",
        "phases[0].service",
        "phases[0].to",
        "reports[0].due[0].by",
        "reports[0].due[0].grace_min",
        "reports[0].due[1].session",
        "reports[0].houses",
        "reports[0].name",
        "title",
    ] == sorted({path for path, _ in found})


@pytest.mark.parametrize(
    ("more", "path"),
    [
        ('name = 3\ndue = [{ times = ["09:00", "10:00"] }]\n', "reports[0].name"),
        (NAME + 'due = [{ times = 9 }]\n', "reports[0].due[0].times"),
        (NAME + 'due = [{ on = "wekly", weekdays = ["Monday"], by = "09:00" }]\n',
         "reports[0].due[0].on"),
        (NAME + 'check = { form = "lins", states = "(?P<count>.)" }\n', "reports[0].check.form"),
        (NAME + 'sessions = 3\ndue = [{ session = "T", by = "09:00" }]\n',
         "reports[0].sessions"),
        (NAME + "fields = 3\n", "reports[0].fields"),
    ],
)  # fmt: skip
def test_nothing_is_said_that_comes_only_of_another_fault(more: str, path: str) -> None:
    """One fault, one line: what hangs on it is judged once it is mended."""
    assert [path] == [where for where, _ in faults(RULE + more)]


def test_a_code_that_is_no_text_makes_no_stranger_of_those_that_are_due() -> None:
    """The rule's codes are at fault, not the ones that its cut-off names."""
    text = '[[reports]]\nservice = "RRS"\nhouse = "HKCC"\ncodes = 7\n' + NAME
    more = 'due = [{ by = "09:00", codes = ["TP001"] }]\n'
    assert ["reports[0].codes"] == [path for path, _ in faults(text + more)]


def test_a_name_that_nothing_ships_under_is_a_usage_error() -> None:
    """With the nearest one."""
    with pytest.raises(UsageError, match="did you mean 'example-lch'"):
        shipped_catalogue("exmple-lch")


@settings(max_examples=150)
@given(
    st.sampled_from(sorted(shipped_catalogues())),
    st.data(),
)
def test_a_file_with_anything_in_it_is_a_catalogue_or_a_list_of_faults(
    name: str, data: st.DataObject
) -> None:
    """Lines dropped, doubled, and filled with something else: never another error."""
    lines = shipped_catalogue_text(name).splitlines()
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(lines) - 1))
        match data.draw(st.sampled_from(["drop", "double", "fill"])):
            case "drop":
                del lines[place]
            case "double":
                lines.insert(place, lines[place])
            case _:
                key = lines[place].partition("=")[0]
                values = ['"x"', "1", "true", "[]", "{}", '["a"]', "2023-04-14", '"{"', '"("', '""']
                lines[place] = f"{key}= {data.draw(st.sampled_from(values))}"
    with suppress(ConfigError):
        found = structure_catalogue("\n".join(lines), document="x.toml")
        assert isinstance(found, Catalogue)
        for rule in found.reports:
            found.read(rule.service, "RMAMR03_20230414_1130_CTL.zip")


# -- sources --------------------------------------------------------------------------------------


def test_a_text_of_the_options_may_name_a_business_date() -> None:
    """Wherever it stands, in every form, and a path beside it is left alone."""
    options = {
        "folder": "INBOX/{business_date:YYYYMMDD}",
        "more": [{"x": "{business_date:yymmdd}-{other}"}],
        "n": 1,
        "key_file": Path("key"),
    }
    assert has_dated_folder(options)
    assert not has_dated_folder({"folder": "reports", "n": 1})
    assert {
        "folder": "INBOX/20230414",
        "more": [{"x": "230414-{other}"}],
        "n": 1,
        "key_file": Path("key"),
    } == of_business_date(options, FRIDAY)


@pytest.mark.parametrize(
    ("source", "path"),
    [
        (ReportSourceSettings("a", "RRS", manners=Manners(attempts=0)), "manners.attempts"),
        (ReportSourceSettings("a", "RRS", manners=Manners(wait_s=9)), "manners.wait_s"),
        (ReportSourceSettings("a", "RRS", manners=Manners(poll_s=1)), "manners.poll_s"),
        (
            ReportSourceSettings("a", "RRS", manners=Manners(look_apart_s=-1)),
            "manners.look_apart_s",
        ),
        (ReportSourceSettings("a", "RRS", manners=Manners(failures=0)), "manners.failures"),
        (ReportSourceSettings("a", "RRS", upload=UploadSettings("(")), "upload.names"),
        (ReportSourceSettings("a", "RRS", options={"f": "{business_date:DMY}"}), "options"),
    ],
)
def test_manners_are_bounded(source: ReportSourceSettings, path: str) -> None:
    """Nobody polls faster than every ten seconds, or tries for ever."""
    assert [f"report_sources.desk.{path}"] == [one.path for one in manners_faults({"desk": source})]
    assert [] == list(manners_faults({"desk": ReportSourceSettings("a", "RRS")}))
