"""Every fault of a rollout file at once: what is wrong with the shape hides nothing else."""

from __future__ import annotations

import pytest

from hkex_ops.config.mending import mended, touches
from hkex_ops.config.shipped import rollout_template, structure_rollout
from hkex_ops.errors import ConfigError
from hkex_ops.model import Rollout
from tests.rollouts.papers import CALENDAR, TEXT, edited, faults_in

DUE = 'due = "2023-04-06 (Thursday) 18:00"'
LATE = 'due = "2023-04-15 (Saturday) 14:31"'
SESSION_1 = 'from = "2023-04-15 (Saturday) 14:30"'
PERIOD = 'window = { from = "2023-04-17 (Monday)", to = "2023-04-28 (Friday)" }'
RESTRICTED = 'rule = "CPs should NOT renew their secure shell keys in Report Retrieval Solution"\n'


def paths(text: str) -> list[str]:
    return [path for path, _ in faults_in(text)]


def test_one_fault_of_every_kind_is_told_in_one_pass() -> None:
    text = edited(
        (DUE, LATE),
        ('site = "secondary"\nsite_label', 'site = "secondry"\nsite_label'),
        ('from = "2023-04-15 (Saturday) 16:30"', 'from = "2023-04-15 (Sunday) 16:30"'),
        ('uses = ["session"]', 'uses = ["session", "production"]'),
        ('action = "renew-ssh-key"', 'action = "renew-ssh-keys"'),
        (f"{RESTRICTED}{PERIOD}\n", RESTRICTED),
        ('kind = "hotline"', 'knd = "hotline"'),
        ('grade = "required"', 'grade = "requird"'),
    )
    assert [
        "connections[0].uses",
        "contacts[0].kind",
        "contacts[0].knd",
        "registrations[0].due",
        "requirements[0].grade",
        "restrictions[0].action",
        "restrictions[0].window",
        "sessions[0].site",
        "sessions[1].window.from",
    ] == paths(text)


def test_a_restriction_without_a_window_is_told_why_it_needs_one() -> None:
    text = edited((f"{RESTRICTED}{PERIOD}\n", RESTRICTED))
    message = "is missing: a restriction has a period, and this one has none"
    assert [("restrictions[0].window", message)] == faults_in(text)


def test_both_ends_of_one_window_are_judged() -> None:
    text = edited(
        (SESSION_1, 'from = "2023-04-15 (Sunday) 14:30"'),
        ('to = "2023-04-15 (Saturday) 15:30"', 'to = "2023-04-15 (Friday) 15:30"'),
    )
    assert ["sessions[0].window.from", "sessions[0].window.to"] == paths(text)


def test_what_is_said_of_a_mended_place_is_left_out() -> None:
    """The deadline would be too late, but with a weekday that is wrong its date is in doubt."""
    text = edited((DUE, 'due = "2023-04-15 (Sunday) 14:31"'))
    [(path, message)] = faults_in(text)
    assert "registrations[0].due" == path
    assert "is a Saturday" in message


def test_a_wrong_weekday_does_not_hide_that_a_deadline_is_too_late() -> None:
    text = edited((DUE, LATE), (SESSION_1, 'from = "2023-04-15 (Sunday) 14:30"'))
    assert ["registrations[0].due", "sessions[0].window.from"] == paths(text)


def test_the_tenth_of_a_list_comes_after_the_second() -> None:
    contact = '\n[[contacts]]\nkind = "k"\nvalue = "v"\nsource = ""\n'
    found = paths(TEXT + contact * 10)
    assert [f"contacts[{place}].source" for place in range(2, 12)] == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x = 1",
        'services = "RRS"\nsessions = [1, "two"]',
        "[[sessions]]\n[[sessions.steps]]\n",
        '[[sessions]]\nwindow = "tomorrow"',
        '[[sessions]]\nwindow = { from = 1, to = ["x"] }',
        "circulars = 3\n[connections]\nhost = 1",
        '[[forms]]\nfields = [{ id = 1 }]\nvalid = { from = "2023-04-15", to = "2023-04-14" }',
    ],
)
def test_however_broken_a_file_is_it_is_told_and_never_fails_otherwise(text: str) -> None:
    with pytest.raises(ConfigError) as raised:
        structure_rollout(text, CALENDAR, document="x.toml")
    found = raised.value.faults
    assert found
    assert len(found) == len(set(found))


def test_mending_leaves_the_document_itself_alone() -> None:
    table: dict[str, object] = {"id": 1, "services": ["RRS"], "unknown": True}
    assert {"id": "?", "services": ["RRS"]} == mended(table, Rollout, ["id", "unknown"])
    assert {"id": 1, "services": ["RRS"], "unknown": True} == table


@pytest.mark.parametrize(
    ("expected", "path", "place"),
    [
        (True, "sessions[1].window", "sessions[1].window.from"),
        (True, "sessions[1].window.from", "sessions[1].window"),
        (True, "sessions[1]", "sessions"),
        (False, "sessions[1].window", "sessions[10].window"),
        (False, "sessions[1].site", "sessions[1].site_label"),
    ],
)
def test_a_place_is_touched_at_in_or_around_it(expected: bool, path: str, place: str) -> None:
    assert expected is touches(path, [place])


def test_the_starting_file_passes_the_check_as_it_is() -> None:
    rollout = structure_rollout(rollout_template(), CALENDAR, document="rollout.toml")
    assert "next-circular" == rollout.id
    assert rollout.sessions
    assert rollout.restrictions
