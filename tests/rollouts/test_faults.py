"""Every rule that a rollout file must obey, broken one by one and then all at once."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from hkex_ops.config.shipped import load_rollout
from hkex_ops.errors import ConfigError
from hkex_ops.model import ACTIONS, Bound, Certainty, Rollout, Source, Window
from hkex_ops.rollouts import faults_of
from tests.rollouts.papers import CALENDAR, RRS_2023, TEXT, edited, faults_in

ACTION = 'action = "renew-ssh-key"'
PERIOD = 'window = { from = "2023-04-17 (Monday)", to = "2023-04-28 (Friday)" }'
DUE = 'due = "2023-04-06 (Thursday) 18:00"'
SESSION_1 = 'window = { from = "2023-04-15 (Saturday) 14:30", to = "2023-04-15 (Saturday) 15:30" }'
NO_SUCH_SERVICE = "'RSS' is not among the rollout's services; did you mean 'RRS'?"
RESTRICTION = "[[restrictions]]"
OUTSIDE = "close of business 2031-01-02"


def without(start: str, end: str) -> str:
    """The shipped text from its beginning to ``start`` and from ``end`` on."""
    return TEXT[: TEXT.index(start)] + TEXT[TEXT.index(end) :]


def test_the_shipped_circular_has_no_fault() -> None:
    assert [] == list(faults_of(RRS_2023))
    assert [] == faults_in(TEXT)


@pytest.mark.parametrize(
    "room",
    ["phases", "sessions", "registrations", "restrictions", "requirements", "announcements"],
)
def test_an_id_is_used_once_in_its_room(room: str) -> None:
    things = getattr(RRS_2023, room)
    twice: Rollout = attrs.evolve(RRS_2023, **{room: (*things, things[0])})  # type: ignore[arg-type]
    expected = f"{room}[{len(things)}].id", f"{things[0].id!r} is the id of {room}[0] already"
    assert [expected] == list(faults_of(twice))


def test_a_connection_is_of_a_service_that_the_rollout_names() -> None:
    expected = (
        "connections[0].service",
        "'RSS' is not among the rollout's services; did you mean 'RRS'?",
    )
    assert [expected] == faults_in(edited(('service = "RRS"', 'service = "RSS"')))


def test_a_session_is_of_services_that_the_rollout_names() -> None:
    text = edited(('services = ["RRS"]\ngrade', 'services = ["RRS", "RSS"]\ngrade'))
    expected = (
        "sessions[0].services[1]",
        "'RSS' is not among the rollout's services; did you mean 'RRS'?",
    )
    assert [expected] == faults_in(text)


def test_an_unknown_action_is_told_with_the_nearest() -> None:
    text = edited((ACTION, 'action = "renew-ssh-keys"'))
    message = "unknown action 'renew-ssh-keys'; did you mean 'renew-ssh-key'?"
    assert [("restrictions[0].action", message)] == faults_in(text)


def test_an_action_like_no_other_is_told_with_all_that_are_known() -> None:
    [(path, message)] = faults_in(edited((ACTION, 'action = "xyzzy"')))
    assert "restrictions[0].action" == path
    assert message.endswith(f"known: {', '.join(ACTIONS)}")


def test_a_restriction_has_a_period() -> None:
    head, tail = TEXT.split(RESTRICTION)
    text = head + RESTRICTION + tail.replace(PERIOD, 'window = { from = "open", to = "open" }')
    expected = "restrictions[0].window", "a restriction has a period; this one has none"
    assert [expected] == faults_in(text)


@pytest.mark.parametrize(
    "window",
    ['{ from = "unknown", to = "open" }', '{ from = "2023-04-17", to = "unknown" }'],
)
def test_a_period_may_be_one_sided_or_unknown(window: str) -> None:
    head, tail = TEXT.split(RESTRICTION)
    assert [] == faults_in(head + RESTRICTION + tail.replace(PERIOD, f"window = {window}"))


@pytest.mark.parametrize(
    "window",
    [
        Window(Bound(None, Certainty.OPEN), RRS_2023.requirements[0].window.until),
        Window(RRS_2023.requirements[0].window.start, Bound(None, Certainty.UNKNOWN)),
    ],
    ids=["open start", "unknown end"],
)
def test_what_recurs_every_business_day_needs_both_ends(window: Window) -> None:
    daily, *others = RRS_2023.requirements
    endless = attrs.evolve(RRS_2023, requirements=(attrs.evolve(daily, window=window), *others))
    message = "what recurs every business day needs both ends of its period"
    assert [("requirements[0].window", message)] == list(faults_of(endless))


def test_a_sessions_site_has_a_connection_for_its_service() -> None:
    primary = '[[connections]]\nservice = "RRS"\nsite = "primary"'
    text = without("[[connections]]", primary)
    message = "the rollout states RRS connections at primary, and none at secondary"
    assert [("sessions[0].site", message)] == faults_in(text)


def test_a_session_without_a_site_needs_no_connection() -> None:
    text = edited(('site = "secondary"\nsite_label = "Secondary Data Centre"\n', ""))
    assert [] == faults_in(text)


def test_a_rollout_that_states_no_connection_at_all_is_sound() -> None:
    assert [] == faults_in(without("[[connections]]", "# -- What is demanded"))


def test_a_session_names_a_registration_that_exists() -> None:
    text = edited(('registration = "connectivity-sessions"', 'registration = "connectivity"'))
    expected = "sessions[0].registration", "no registration is called 'connectivity'"
    assert [expected] == faults_in(text)


def test_a_registration_does_not_close_after_the_session_it_serves() -> None:
    [(path, message)] = faults_in(edited((DUE, 'due = "2023-04-15 (Saturday) 14:31"')))
    assert "registrations[0].due" == path
    assert (
        "2023-04-15T14:31:00+08:00 lies after the start of session session-1 "
        "(2023-04-15T14:30:00+08:00), which it serves" == message
    )


def test_a_registration_may_close_at_the_very_start() -> None:
    assert [] == faults_in(edited((DUE, 'due = "2023-04-15 (Saturday) 14:30"')))


def test_the_day_of_a_deadline_counts_whole() -> None:
    assert [] == faults_in(edited((DUE, 'due = "2023-04-14 (Friday)"')))
    late = faults_in(edited((DUE, 'due = "2023-04-15 (Saturday)"')))
    assert ["registrations[0].due"] * 2 == [path for path, _ in late]


def test_production_does_not_end_on_the_secondary_site() -> None:
    text = edited(('uses = ["session"]', 'uses = ["session", "production"]'))
    message = "production connections of RRS end on primary; 10.152.14.121 is at secondary"
    assert [("connections[0].uses", message)] == faults_in(text)


def test_a_service_with_connections_has_one_for_production() -> None:
    text = TEXT.replace('uses = ["session", "production"]', 'uses = ["session"]')
    assert [("connections", "no connection of RRS is for production")] == faults_in(text)


def test_a_rollout_names_the_circular_it_comes_from() -> None:
    text = "circulars = []\n" + without("[[circulars]]", "[[announcements]]")
    message = "a rollout names the circular it comes from, and this one names none"
    assert [("circulars", message)] == faults_in(text)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ('""', "says no place in the paper"),
        ('"  "', "says no place in the paper"),
        ('{ circular = "CD/OEC/HKCC/311/22", place = " " }', "says no place in the paper"),
        ('{ circular = "", place = "first paragraph" }', "names no circular"),
    ],
)
def test_a_source_names_circular_and_place(source: str, message: str) -> None:
    text = edited(('source = "third paragraph, (ii)"', f"source = {source}"))
    assert [("restrictions[0].source", message)] == faults_in(text)


CITING = 'source = "third paragraph, (ii)"'


@pytest.mark.parametrize(
    "circular",
    [
        RRS_2023.circulars[0].reference,
        RRS_2023.circulars[0].title,
        RRS_2023.circulars[0].refers_to[0],
    ],
    ids=["reference", "title", "a paper it refers to"],
)
def test_a_source_names_a_paper_that_the_rollout_lists(circular: str) -> None:
    source = f'source = {{ circular = "{circular}", place = "first paragraph" }}'
    assert [] == faults_in(edited((CITING, source)))


def test_a_source_that_names_a_paper_unheard_of_is_a_fault() -> None:
    source = 'source = { circular = "CD/OEC/HKCC/073/2032", place = "first paragraph" }'
    message = (
        "'CD/OEC/HKCC/073/2032' is no paper that this rollout lists; "
        "did you mean 'CD/OEC/HKCC/073/2023'?"
    )
    assert [("restrictions[0].source", message)] == faults_in(edited((CITING, source)))


def test_a_source_deep_inside_is_told_with_its_path() -> None:
    first, *others = RRS_2023.sessions
    step, *steps = first.steps
    astray = attrs.evolve(step, source=Source("?", "?"))
    session = attrs.evolve(first, steps=(astray, *steps))
    rollout = attrs.evolve(RRS_2023, sessions=(session, *others))
    assert ["sessions[0].steps[0].source"] == [path for path, _ in faults_of(rollout)]


def test_a_circular_without_a_sound_name_is_the_only_thing_complained_of() -> None:
    head, circulars = edited(('reference = "CD/OEC/HKCC/073/2023"\n', "")).split("[[circulars]]")
    nameless = f"{head}[[circulars]]{circulars.replace('title = ', 'title = 7 # ', 1)}"
    assert [("circulars[0].title", "must be a text, not a whole number")] == faults_in(nameless)


def test_a_fact_without_a_source_is_a_fault() -> None:
    text = edited(('source = "third paragraph, (ii)"\n', ""))
    assert [("restrictions[0].source", "is missing")] == faults_in(text)


def test_both_ends_of_a_window_are_checked_each_with_its_path() -> None:
    window = 'window = { from = "2023-04-15 (Sunday) 14:30", to = "half past three" }'
    (start, said), (end, asked) = faults_in(edited((SESSION_1, window)))
    assert ("sessions[0].window.from", "sessions[0].window.to") == (start, end)
    assert "2023-04-15 is a Saturday, the file says Sunday" == said
    assert asked.startswith("'half past three' is no moment; write it as")


def test_a_window_that_ends_before_it_starts_is_a_fault() -> None:
    turned = 'window = { from = "2023-04-15 15:30", to = "2023-04-15 14:30" }'
    [(path, message)] = faults_in(edited((SESSION_1, turned)))
    assert "sessions[0].window" == path
    assert "not after its start" in message


def test_a_business_event_outside_the_tables_is_a_fault_and_no_guess() -> None:
    window = f'window = {{ from = "2023-04-15 14:30", to = "{OUTSIDE}" }}'
    [(path, message)] = faults_in(edited((SESSION_1, window)))
    assert "sessions[0].window.to" == path
    assert "2031-01-02 lies outside the calendar tables" in message


def test_every_fault_of_shape_is_told_at_once_in_order_of_path() -> None:
    text = edited(
        ('grade = "optional"', 'grade = "optoinal"'),
        ('moment = "before"', 'momnet = "before"'),
        ("port = 10022", 'port = "10022"'),
        ('networks = ["HSN", "SDNET"]', 'networks = "HSN"'),
        (DUE, "due = 18"),
        ("[circulars.signatory]\n", "[circulars.signature]\n"),
    )
    assert [
        ("circulars[0].signature", "unknown key; did you mean 'signatory'?"),
        ("connections[0].networks", "must be a list, not a text"),
        ("connections[0].port", "must be a whole number, not a text"),
        ("registrations[0].due", "must be a text, not a whole number"),
        ("sessions[0].grade", "unknown word 'optoinal'; did you mean 'optional'?"),
        ("sessions[0].steps[0].moment", "is missing"),
        ("sessions[0].steps[0].momnet", "unknown key; did you mean 'moment'?"),
    ] == faults_in(text)


def test_every_broken_rule_is_told_at_once_in_order_of_path() -> None:
    text = edited(
        (ACTION, 'action = "renew"'),
        ('id = "purpose-of-sessions"', 'id = "launch"'),
        ('registration = "connectivity-sessions"', 'registration = "?"'),
        (DUE, 'due = "2023-04-15 (Saturday) 16:31"'),
        ('uses = ["session"]', 'uses = ["production"]'),
        ('services = ["RRS"]\ngrade', 'services = ["RRS", "RSS"]\ngrade'),
    )
    assert [
        "announcements[2].id",
        "connections[0].uses",
        "registrations[0].due",
        "restrictions[0].action",
        "sessions[0].registration",
        "sessions[0].services[1]",
    ] == [path for path, _ in faults_in(text)]


def test_a_fault_of_shape_does_not_hide_a_broken_rule() -> None:
    text = edited(
        ('grade = "optional"', 'grade = "optoinal"'),
        ('id = "purpose-of-sessions"', 'id = "launch"'),
        (ACTION, 'action = "renew"'),
        ("2023-04-06 (Thursday)", "2023-04-06 (Friday)"),
    )
    assert [
        "announcements[2].id",
        "registrations[0].due",
        "restrictions[0].action",
        "sessions[0].grade",
    ] == [path for path, _ in faults_in(text)]


def test_the_tenth_of_a_list_comes_after_the_second() -> None:
    head, tail = TEXT.split("[[contacts]]", 1)
    contact = "[[contacts]]" + tail.split("[[contacts]]")[0]
    text = head + contact * 2 + contact.replace('kind = "hotline"', "kind = 2") * 9
    assert [f"contacts[{n}].kind" for n in range(2, 11)] == [path for path, _ in faults_in(text)]


def test_faults_in_a_file_of_ones_own_name_the_file(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(edited((ACTION, 'action = "renew"')), encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        load_rollout(file, CALENDAR)
    assert (str(file), 1) == (raised.value.document, len(raised.value.faults))
    file.write_text(TEXT, encoding="utf-8")
    assert RRS_2023 == load_rollout(file, CALENDAR)


def test_a_session_is_of_a_known_kind() -> None:
    kind = 'kind = "post-release-connectivity-session"'
    [fault] = faults_in(edited((kind, 'kind = "connectvity-session"')))
    expected = "unknown word 'connectvity-session'; did you mean 'connectivity-session'?"
    assert ("sessions[0].kind", expected) == fault


def test_an_address_is_one_that_there_can_be() -> None:
    text = edited(
        ('host = "10.152.14.121"', 'host = "10.152.14.321"'), ("port = 10022", "port = 100222")
    )
    assert [
        ("connections[0].host", "there is no address 10.152.14.321"),
        ("connections[0].port", "100222 is no port; ports run from 1 to 65535"),
    ] == faults_in(text)


@pytest.mark.parametrize("id", ["../../evil", "Next Circular", "", "a--b"])
def test_a_rollout_id_can_be_part_of_a_name(id: str) -> None:
    assert ["id"] == [path for path, _ in faults_in(edited(('"rrs-2023"', f'"{id}"')))]
