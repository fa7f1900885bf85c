"""The operator's file: paths are relative to it, options are the adapter's, faults are many."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TypeVar

import pytest
from attrs import field, fields, frozen, validators

from hkex_ops.config.settings import (
    ArchiveSettings,
    CalendarSettings,
    CatalogueSettings,
    PluginSettings,
    ReportSourceSettings,
    Settings,
    load_catalogue,
    load_settings,
    structure_options,
)
from hkex_ops.errors import ConfigError, Fault, PluginError, UsageError
from hkex_ops.model import SiteRole
from hkex_ops.ports import Offer, ReportSource
from hkex_ops.reports import DateForm

T = TypeVar("T")

WHOLE = """
[archive]
folder = "archive"
head_file = "/mnt/other/head"

[catalogue]
file = "../catalogue.toml"

[calendar]
file = "days.toml"

[plugins]
block = ["hkex_ops_unwanted"]

[report_sources.rrs]
adapter = "sftp"
service = "RRS"
site = "secondary"
drill_reports = ["TP001"]

[report_sources.rrs.options]
user = "desk"
retries = 3

[report_sources.other]
adapter = "sftp"
service = "SDNET"
"""

CATALOGUE = r"""
title = "invented names"

[[reports]]
service = "RRS"
pattern = '(?P<code>TP\d{3})_(?P<business_date>\d{8})'
date_form = "YYYYMMDD"
codes = ["TP001"]
house = "HKCC"

[[ignore]]
pattern = 'README'
reason = "no report"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    folder = tmp_path / "desk"
    folder.mkdir()
    return folder / "config.toml"


def load(file: Path, text: str) -> Settings:
    file.write_text(text, encoding="utf-8")
    return load_settings(file)


def faults(file: Path, text: str) -> list[Fault]:
    with pytest.raises(ConfigError) as raised:
        load(file, text)
    assert str(file) == raised.value.document
    return list(raised.value.faults)


def test_a_whole_file_becomes_settings(file: Path) -> None:
    settings = load(file, WHOLE)
    desk = file.parent
    assert file == settings.path
    assert ArchiveSettings(desk / "archive", Path("/mnt/other/head")) == settings.archive
    assert CatalogueSettings(desk / "../catalogue.toml") == settings.catalogue
    assert CalendarSettings(desk / "days.toml") == settings.calendar
    assert PluginSettings(("hkex_ops_unwanted",)) == settings.plugins
    assert {
        "rrs": ReportSourceSettings(
            "sftp", "RRS", SiteRole.SECONDARY, ("TP001",), {"user": "desk", "retries": 3}
        ),
        "other": ReportSourceSettings("sftp", "SDNET"),
    } == settings.report_sources


def test_an_empty_file_is_a_configuration_with_nothing_in_it(file: Path) -> None:
    settings = load(file, "")
    assert (None, None, {}) == (settings.archive, settings.catalogue, settings.report_sources)
    assert (None, ()) == (settings.calendar.file, settings.plugins.block)


def test_where_the_file_lies_is_not_for_the_file_to_say(file: Path) -> None:
    known = (
        "archive, rollouts, catalogue, calendar, plugins, work, report_sources, probes, "
        "market_feeds, index_publishers, index_feeds, oapi_gateways, index, clearing, "
        "notifications, notifiers, incidents"
    )
    expected = Fault("path", f"unknown key; known: {known}")
    assert [expected] == faults(file, 'path = "elsewhere"')


def test_a_file_named_from_where_one_stands_is_that_file(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text('[archive]\nfolder = "archive"', encoding="utf-8")
    monkeypatch.chdir(file.parent.parent)
    settings = load_settings(Path("desk/config.toml"))
    assert Path("desk/config.toml") == settings.path
    assert Path("desk/archive") == settings.required_archive().folder


def test_a_client_points_to_the_primary_site_unless_said_otherwise(file: Path) -> None:
    settings = load(file, '[report_sources.rrs]\nadapter = "sftp"\nservice = "RRS"')
    assert SiteRole.PRIMARY is settings.report_sources["rrs"].site


def test_a_path_is_relative_to_the_file_and_not_to_where_one_stands(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load(file, '[archive]\nfolder = "./kept/here"')
    assert file.parent / "kept" / "here" == settings.required_archive().folder


def test_a_tilde_is_the_home(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    settings = load(file, '[archive]\nfolder = "~/archive"')
    assert tmp_path / "home" / "archive" == settings.required_archive().folder


def test_the_home_of_nobody_is_a_fault_and_no_traceback(file: Path) -> None:
    expected = Fault("archive.folder", "names the home of somebody who has none here")
    assert [expected] == faults(file, '[archive]\nfolder = "~no-such-user-here/archive"')


@pytest.mark.parametrize("value", ['""', "1", "[]", "true"])
def test_a_path_is_a_text(file: Path, value: str) -> None:
    expected = Fault("archive.folder", "must be a path, written as a text")
    assert [expected] == faults(file, f"[archive]\nfolder = {value}")


def test_every_fault_of_the_file_is_told_at_once(file: Path) -> None:
    text = """
[archive]
foldr = "archive"

[plugins]
block = "hkex_ops_sftp"

[report_sources.rrs]
service = "RRS"
site = "tertiary"
options = []
"""
    assert [
        ("archive.folder", "is missing"),
        ("archive.foldr", "unknown key; did you mean 'folder'?"),
        ("plugins.block", "must be a list, not a text"),
        ("report_sources.rrs.adapter", "is missing"),
        ("report_sources.rrs.options", "must be a table, not a list"),
        ("report_sources.rrs.site", "unknown word 'tertiary'; did you mean 'primary'?"),
    ] == [(fault.path, fault.message) for fault in faults(file, text)]


def test_a_file_that_is_missing_a_folder_or_not_text_is_told(file: Path) -> None:
    with pytest.raises(ConfigError, match="there is no configuration at"):
        load_settings(file)
    with pytest.raises(ConfigError, match="is a folder"):
        load_settings(file.parent)
    file.write_bytes(b"[archive]\nfolder = '\xff'")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_settings(file)


def test_a_broken_file_is_told_with_the_line(file: Path) -> None:
    [fault] = faults(file, '[archive]\nfolder = "archive\n')
    assert "line 2" in fault.message


def test_the_only_source_needs_no_name(file: Path) -> None:
    settings = load(file, '[report_sources.rrs]\nadapter = "sftp"\nservice = "RRS"')
    assert ("rrs", settings.report_sources["rrs"]) == settings.source(None)
    assert settings.source("rrs") == settings.source(None)


def test_one_of_several_sources_is_named(file: Path) -> None:
    settings = load(file, WHOLE)
    assert "SDNET" == settings.source("other")[1].service
    with pytest.raises(UsageError, match="several report sources, name one: rrs, other"):
        settings.source(None)


def test_an_unknown_source_is_told_with_the_nearest(file: Path) -> None:
    with pytest.raises(UsageError, match=r"no report source 'rss'; did you mean 'rrs'\?"):
        load(file, WHOLE).source("rss")


def test_a_file_without_what_a_command_needs_says_which_table_is_missing(file: Path) -> None:
    settings = load(file, "")
    with pytest.raises(ConfigError, match=r"has no \[report_sources.NAME\] table"):
        settings.source("rrs")
    with pytest.raises(ConfigError, match=r"has no \[archive\] table"):
        settings.required_archive()
    with pytest.raises(ConfigError, match=r"has no \[catalogue\] table"):
        load_catalogue(settings)


# -- the options of an adapter --------------------------------------------------------------------


@frozen
class Login:
    user: str
    key: Path


@frozen
class Options:
    login: Login
    sites: dict[SiteRole, tuple[str, ...]]
    retries: int = 3
    log: Path | None = None


def never_opened(options: Options, site: SiteRole) -> AbstractAsyncContextManager[ReportSource]:
    raise NotImplementedError


OFFER: Offer[ReportSource] = Offer("sftp", Options, never_opened)

SOURCE = '[report_sources.rrs]\nadapter = "sftp"\nservice = "RRS"\n[report_sources.rrs.options]\n'


def options(file: Path, text: str) -> object:
    settings = load(file, SOURCE + text)
    name, source = settings.source(None)
    return structure_options(settings, name, source.options, OFFER.options)


def test_options_are_structured_with_the_adapters_own_class(file: Path) -> None:
    text = """
login = { user = "desk", key = "keys/desk" }
sites = { primary = ["10.151.14.121", "10.151.14.122"] }
log = "/var/log/sftp"
"""
    assert Options(
        Login("desk", file.parent / "keys" / "desk"),
        {SiteRole.PRIMARY: ("10.151.14.121", "10.151.14.122")},
        log=Path("/var/log/sftp"),
    ) == options(file, text)


def test_every_fault_of_the_options_is_told_at_once_with_its_place_in_the_file(file: Path) -> None:
    text = """
login = { usr = "desk", key = 7 }
sites = { primary = "10.151.14.121" }
retries = "3"
"""
    with pytest.raises(ConfigError) as raised:
        options(file, text)
    assert str(file) == raised.value.document
    place = "report_sources.rrs.options"
    assert [
        (f"{place}.login.key", "must be a path, written as a text"),
        (f"{place}.login.user", "is missing"),
        (f"{place}.login.usr", "unknown key; did you mean 'user'?"),
        (f"{place}.retries", "must be a whole number, not a text"),
        (f"{place}.sites.primary", "must be a list, not a text"),
    ] == [(fault.path, fault.message) for fault in raised.value.faults]


@frozen
class Sequences:
    listed: list[str] = field(factory=list[str])
    series: Sequence[str] = ()
    several: set[str] = field(factory=set[str])
    settled: frozenset[str] = frozenset()
    bare: list = field(factory=list)  # type: ignore[type-arg]


@frozen
class Numbers:
    timeout_s: float = 1.0


def fitted(file: Path, kind: type[T], text: str) -> T:
    settings = load(file, SOURCE + text)
    name, source = settings.source(None)
    return structure_options(settings, name, source.options, kind, offer="sftp")


def option_faults(file: Path, kind: type[object], text: str) -> list[tuple[str, str]]:
    with pytest.raises(ConfigError) as raised:
        fitted(file, kind, text)
    lead = len("report_sources.rrs.options")
    return [(fault.path[lead:].lstrip("."), fault.message) for fault in raised.value.faults]


def test_a_list_of_the_file_becomes_whatever_holds_many(file: Path) -> None:
    names = [attribute.name for attribute in fields(Sequences)]
    text = "".join(f'{name} = ["a", "b"]\n' for name in names)
    expected = Sequences(["a", "b"], ("a", "b"), {"a", "b"}, frozenset("ab"), ["a", "b"])
    assert expected == fitted(file, Sequences, text)


@pytest.mark.parametrize("name", [attribute.name for attribute in fields(Sequences)])
def test_a_text_is_no_list_of_its_letters(file: Path, name: str) -> None:
    expected = [(name, "must be a list, not a text")]
    assert expected == option_faults(file, Sequences, f'{name} = "abc"')


@pytest.mark.parametrize(("expected", "stated"), [(2.5, "2.5"), (3.0, "3")])
def test_a_whole_number_is_a_number_too(file: Path, expected: float, stated: str) -> None:
    assert expected == fitted(file, Numbers, f"timeout_s = {stated}").timeout_s


@pytest.mark.parametrize(
    ("stated", "told"), [('"2.5"', "a text"), ("true", "true or false"), ("[1.0]", "a list")]
)
def test_what_only_looks_like_a_number_is_none(file: Path, stated: str, told: str) -> None:
    expected = [("timeout_s", f"must be a number, not {told}")]
    assert expected == option_faults(file, Numbers, f"timeout_s = {stated}")


# -- options classes that are their author's to mend ----------------------------------------------


@frozen
class Either:
    n: float | str


@frozen
class Pair:
    n: tuple[int, int]


@frozen
class Deep:
    inner: dict[str, Either]


@frozen
class Astray:
    n: "NoSuchName"  # type: ignore[name-defined]  # noqa: F821, UP037


class Plain:
    pass


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Either, "n = 1"),
        (Either, "n = 1.5"),
        (Pair, "n = [1, 2]"),
        (Deep, "inner = { a = { n = 1 } }"),
        (Astray, "n = 1"),
        (Plain, "n = 1"),
    ],
)
def test_a_class_that_no_table_can_fill_is_its_authors_fault(
    file: Path, kind: type[object], text: str
) -> None:
    with pytest.raises(PluginError) as raised:
        fitted(file, kind, text)
    assert ("tests", "hkex_ops_report_sources") == (raised.value.distribution, raised.value.hook)
    assert "the options of offer sftp cannot be filled from a file: " in str(raised.value)
    assert kind.__qualname__ in str(raised.value)


# -- what a validator refuses ---------------------------------------------------------------------

SECRET = "hunter2"
NOT_VALID = "is not valid: it is of the right type, and its value is not taken"


def own_sentence(_: object, attribute: object, value: str) -> None:
    raise ValueError("must be changed before it is used")


def raw(_: object, attribute: object, value: str) -> None:
    raise KeyError(value)


def chatty(_: object, attribute: object, value: str) -> None:
    raise RuntimeError(f"{value} is too weak")


@frozen
class TooShort:
    pass_: str = field(validator=validators.min_len(99))


@frozen
class NotListed:
    pass_: str = field(validator=validators.in_(["a"]))


@frozen
class NotAlike:
    pass_: str = field(validator=validators.matches_re("a+"))


@frozen
class NotBefore:
    pass_: str = field(validator=validators.lt("a"))


@frozen
class NeitherOr:
    pass_: str = field(validator=validators.or_(validators.in_(["a"]), validators.in_(["b"])))


@frozen
class Told:
    pass_: str = field(validator=own_sentence)


@frozen
class Raw:
    pass_: str = field(validator=raw)


@frozen
class Chatty:
    pass_: str = field(validator=chatty)


@pytest.mark.parametrize("kind", [TooShort, NotListed, NotAlike, NotBefore, NeitherOr])
def test_a_value_that_a_validator_refuses_is_placed_and_never_repeated(
    file: Path, kind: type[object]
) -> None:
    assert [("pass", NOT_VALID)] == option_faults(file, kind, f'pass = "{SECRET}"')


def test_a_sentence_that_was_written_for_a_person_stays(file: Path) -> None:
    expected = [("", "must be changed before it is used")]
    assert expected == option_faults(file, Told, f'pass = "{SECRET}"')


@pytest.mark.parametrize("kind", [Raw, Chatty])
def test_any_other_text_of_a_validator_is_left_out(file: Path, kind: type[object]) -> None:
    [(_, message)] = option_faults(file, kind, f'pass = "{SECRET}"')
    assert SECRET not in message


def test_options_stay_a_plain_table_until_the_adapter_is_known(file: Path) -> None:
    settings = load(file, SOURCE + 'anything = { at = ["all", 1, 1.5, true] }')
    expected = {"anything": {"at": ["all", 1, 1.5, True]}}
    assert expected == settings.report_sources["rrs"].options


# -- the catalogue that a configuration names -----------------------------------------------------


def with_catalogue(file: Path, text: str) -> Settings:
    (file.parent / "names.toml").write_text(text, encoding="utf-8")
    return load(file, '[catalogue]\nfile = "names.toml"')


def test_the_catalogue_is_read_beside_the_file(file: Path) -> None:
    catalogue = load_catalogue(with_catalogue(file, CATALOGUE))
    [rule] = catalogue.reports
    assert ("invented names", DateForm.YYYYMMDD) == (catalogue.title, rule.date_form)
    assert ["TP001"] == list(catalogue.codes("RRS"))
    assert catalogue.ignores("README")


def test_faults_of_a_catalogue_name_its_own_file(file: Path) -> None:
    text = CATALOGUE.replace("business_date", "date").replace("'README'", "'['")
    settings = with_catalogue(file, text)
    with pytest.raises(ConfigError) as raised:
        load_catalogue(settings)
    assert str(file.parent / "names.toml") == raised.value.document
    assert [
        ("ignore[0].pattern", "is no regular expression: unterminated character set at position 0"),
        ("reports[0].pattern", "needs a group named business_date"),
        (
            "reports[0].pattern",
            "unknown group 'date'; known: business_date, code, house, instance, part, session",
        ),
    ] == [(fault.path, fault.message) for fault in raised.value.faults]


def test_a_catalogue_that_is_not_there_is_told(file: Path) -> None:
    settings = load(file, '[catalogue]\nfile = "names.toml"')
    with pytest.raises(ConfigError, match="there is no catalogue at"):
        load_catalogue(settings)


def test_what_is_wrong_with_the_shape_hides_nothing_of_the_sense(file: Path) -> None:
    """Every fault of a configuration at once, each with its place, and none that only follows."""
    file.write_text(
        """
[archive]
folder = 3
keep_days = 0
copy = { folder = "x", url = "y" }
[report_sources.rrs]
adapter = "sftp"
service = "RRS"
site = "primry"
manners = { attempts = 0, poll_s = "fast", wait_s = 9, wait_longest_s = "long" }
upload = { names = "(" }
[report_sources.other]
service = "RRS"
manners = { poll_s = 1 }
[incidents]
teller = " "
attach = 3
""",
        encoding="utf-8",
    )
    with pytest.raises(ConfigError) as raised:
        load_settings(file)
    assert [
        "archive.copy",
        "archive.folder",
        "archive.keep_days",
        "incidents.attach",
        "incidents.teller",
        "report_sources.other.adapter",
        "report_sources.other.manners.poll_s",
        "report_sources.rrs.manners.attempts",
        "report_sources.rrs.manners.poll_s",
        "report_sources.rrs.manners.wait_longest_s",
        "report_sources.rrs.site",
        "report_sources.rrs.upload.names",
    ] == [fault.path for fault in raised.value.faults]
