"""A fetch tells what it found, by the routes of the desk: one message for a batch."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli import folder_source, notifying_desk
from tests.cli.desk import FRIDAY, Desk
from tests.cli.notifying_desk import arrived
from tests.cli.test_reports import turn_clock

ROUTES = """
[[routes]]
id = "desk"
audience = "desk"
tell = [{ by = "mail", to = ["desk"] }]
"""

MORE = """
[notifications]
routes = "routes.toml"
folder = "outbox"
[notifiers.mail]
adapter = "folder"
options = { folder = "far" }
"""


@pytest.fixture
def telling(desk: Desk, tmp_path: Path) -> Desk:
    folder_source.install(tmp_path / "site", "folder-notifier", module=notifying_desk.__name__)
    (desk.home / "far").mkdir()
    (desk.home / "routes.toml").write_text(ROUTES, encoding="utf-8")
    desk.configure(more=MORE)
    return desk


def test_what_a_fetch_found_is_one_message_however_often_it_runs(telling: Desk) -> None:
    telling.publish_day()
    for name in ("one.txt", "two.txt"):
        telling.publish(name)
    for _ in range(2):
        assert 1 == telling.fetch().code
    assert [
        "desk: RRS: 3 of 3 reports of 2023-04-14",
        "desk: [minor] RRS: 2 findings of 2023-04-14",
    ] == arrived(telling.home)


def test_a_watch_tells_at_once_what_its_look_found(
    telling: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a fetch does, and not only how the day ended."""
    turn_clock(monkeypatch, f"{FRIDAY}T21:00")
    telling.publish_day()
    telling.publish("one.txt")
    assert 1 == telling.reports("watch").code
    assert "desk: [minor] RRS: 1 findings of 2023-04-14" in arrived(telling.home)


def test_a_watch_that_gives_up_is_told(telling: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody need look at its exit code to know."""
    turn_clock(monkeypatch, f"{FRIDAY}T21:00")
    source = 'adapter = "folder"\nservice = "RRS"\nmanners = { failures = 1, attempts = 1 }'
    telling.configure(more=MORE, source=source, options={"goes_wrong": "unreachable"})
    assert 4 == telling.reports("watch").code
    (line,) = arrived(telling.home)
    assert line.startswith("desk: [major] RRS: reports of 2023-04-14 cannot be fetched")


def test_who_wants_to_hear_of_trouble_alone_hears_nothing_of_a_good_day(telling: Desk) -> None:
    routes = ROUTES.replace('id = "desk"', 'id = "desk"\nseverity = "minor"')
    (telling.home / "routes.toml").write_text(routes, encoding="utf-8")
    telling.publish_day()
    assert 0 == telling.fetch().code
    assert [] == arrived(telling.home)


def test_a_server_that_cannot_be_used_is_told_and_the_command_ends_as_ever(
    telling: Desk,
) -> None:
    telling.configure(more=MORE, options={"goes_wrong": "unreachable"})
    assert 4 == telling.fetch().code
    (line,) = arrived(telling.home)
    assert line.startswith("desk: [major] RRS: reports of 2023-04-14 cannot be fetched")


def test_without_notifications_a_fetch_writes_no_outbox(desk: Desk) -> None:
    desk.publish_day()
    desk.publish("one.txt")
    desk.fetch()
    assert not (desk.home / "outbox").exists()
