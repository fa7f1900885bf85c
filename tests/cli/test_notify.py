"""``hkex-ops notify``: told by routes, shown with receipts, finished by hand where need be."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
from datetime import datetime
from pathlib import Path

import pytest

from hkex_ops.clock import ManualClock
from hkex_ops.model import HONG_KONG
from hkex_ops.notifications import EVENT_KINDS
from tests.cli import folder_source, notifying_desk
from tests.cli.notifying_desk import CONFIG, ROUTES, arrived
from tests.cli.program import HKEX_OPS, TIMEOUT_S, Ended, Program, require_refused

AT = datetime(2026, 2, 2, 10, 5, tzinfo=HONG_KONG)
SENT = ("notify", "send", "Reports are late.", "--by", "A. Chan", "--key", "late")


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    monkeypatch.setattr("hkex_ops.cli.notify_desk.system_clock", lambda: ManualClock(AT))
    folder_source.install(tmp_path / "site", "folder-notifier", module=notifying_desk.__name__)
    home = tmp_path / "home"
    (home / "far").mkdir(parents=True)
    (home / "config.toml").write_text(CONFIG, encoding="utf-8")
    (home / "routes.toml").write_text(ROUTES, encoding="utf-8")
    more = {"HKEX_OPS_CONFIG": str(home / "config.toml")}
    program = Program(home, (tmp_path / "site",), more=more)
    monkeypatch.setenv("HKEX_OPS_CONFIG", str(home / "config.toml"))
    return program


def run(desk: Program, *words: str) -> Ended:
    return desk.here(*words, "--config", "config.toml")


def states(ended: Ended) -> list[tuple[str, str, str]]:
    return [
        (message["notification"]["language"], one["receiver"], one["state"])
        for message in ended.document["messages"]
        for one in message["receivers"]
    ]


def test_what_is_sent_is_shown_with_the_other_sides_receipt(desk: Program) -> None:
    ended = run(desk, *SENT, "--chinese", "報告延遲。", "--chinese-subject", "報告延遲")
    assert 0 == ended.code, ended
    assert [
        "desk: Reports are late.",
        "head: Reports are late.",
        "desk: 報告延遲",
        "head: 報告延遲",
    ] == arrived(desk.home)
    assert "desk by mail has it" in ended.words
    assert "10:05:00 taken: 250 queued as 4F2c1" in ended.words


def test_a_key_that_was_told_is_not_told_again(desk: Program) -> None:
    run(desk, *SENT)
    ended = run(desk, *SENT)
    assert (0, 4) == (ended.code, len(arrived(desk.home)))
    assert ended.stdout.startswith("late was told before; this is how it stands")


def test_who_may_have_it_wants_a_person_who_tells_it(desk: Program) -> None:
    (desk.home / "far" / "lost").touch()
    (desk.home / "far" / "head.refused").touch()
    ended = run(desk, *SENT, "--json")
    assert 1 == ended.code
    assert [
        ("en", "desk", "unknown"),
        ("en", "head", "refused"),
        ("zh-Hant", "desk", "unknown"),
        ("zh-Hant", "head", "refused"),
    ] == states(ended)
    (desk.home / "far" / "lost").unlink()
    again = run(desk, "notify", "again", "late", "desk", "--by", "B. Wong", "--json")
    assert 4 == len(arrived(desk.home))
    assert 1 == again.code
    told = run(
        desk,
        *("notify", "told", "1", "--to", "head", "--by", "A. Chan", "--at"),
        "2026-02-02T10:04",
    )
    assert 0 == told.code, told
    assert "told by phone at 10:04 by A. Chan to head" in told.words
    eve = run(
        desk, *("notify", "told", "1", "--to", "Lee", "--by", "me", "--at"), "2026-02-01T10:04"
    )
    assert "told by phone at Sun 2026-02-01 10:04 by me to Lee" in eve.words
    status = run(desk, "notify", "status", "--json")
    assert {"taken"} == {state for _, _, state in states(status)}


def test_somebody_who_was_not_reached_is_written_down_too(desk: Program) -> None:
    run(desk, *SENT)
    ended = run(
        desk, *("notify", "told", "late", "--to", "SFC", "--by", "A. Chan", "--not-reached")
    )
    assert "tried by phone at 10:05 by A. Chan: SFC was not reached" in ended.words


def test_an_acknowledgement_is_written_down(desk: Program) -> None:
    run(desk, *SENT)
    ended = run(desk, "notify", "ack", "late", "--by", "B. Wong")
    assert "acknowledged 10:05 by B. Wong" in ended.words


def test_a_far_side_that_is_down_is_tried_again_later(desk: Program) -> None:
    (desk.home / "far" / "down").touch()
    ended = run(desk, *SENT, "--json")
    assert 0 == ended.code, "nobody has to do anything yet"
    assert {"queued"} == {state for _, _, state in states(ended)}
    assert [] == arrived(desk.home)


def test_nothing_is_sent_before_somebody_delivers(desk: Program) -> None:
    ended = run(desk, *SENT, "--no-wait")
    assert ([], 0) == (arrived(desk.home), ended.code)
    assert "desk by mail waits" in ended.words


def test_what_no_route_wants_is_a_finding(desk: Program) -> None:
    (desk.home / "routes.toml").write_text(
        ROUTES.replace('id = "desk"', 'id = "desk"\nseverity = "critical"'), encoding="utf-8"
    )
    ended = run(desk, *SENT)
    assert 1 == ended.code
    assert "no route wants message/sent" in ended.words


def test_quiet_hours_are_said(desk: Program) -> None:
    quiet = '[quiet]\nhours = [{ from = "10:00", to = "11:00" }]\n'
    (desk.home / "routes.toml").write_text(quiet + ROUTES, encoding="utf-8")
    ended = run(desk, *SENT)
    assert "route desk waits until 11:00 (quiet hours)" == ended.stdout.strip()
    status = run(desk, "notify", "status", "--json")
    assert [["late"]] == [one["keys"] for one in status.document["held"]]


def test_a_preflight_finds_a_dead_route(desk: Program) -> None:
    alive = run(desk, "notify", "check")
    assert (0, []) == (alive.code, arrived(desk.home))
    assert "mail (folder) alive: the far side is there" in alive.words
    (desk.home / "far" / "down").touch()
    dead = run(desk, "notify", "check", "--json")
    assert 1 == dead.code
    (channel,) = dead.document["channels"]
    assert ("dead", "the far side is down") == (channel["state"], channel["detail"])
    assert ["desk", "head", "SFC"] == channel["receivers"]


def test_who_would_be_told_is_told_to_nobody_else(desk: Program) -> None:
    ended = run(desk, "notify", "who", "index/mode-changed", "--json")
    assert (0, ["desk", "regulator"]) == (
        ended.code,
        [route["id"] for route in ended.document["routes"]],
    )
    assert [] == arrived(desk.home)
    minor = run(desk, "notify", "who", "reports/missing", "--severity", "minor")
    assert "regulator" not in minor.words


def test_a_routing_file_is_judged(desk: Program) -> None:
    sound = run(desk, "notify", "routes", "routes.toml")
    assert "routes.toml is sound: 2 routes (desk, regulator)" == sound.stdout.strip()
    (desk.home / "routes.toml").write_text(ROUTES.replace('by = "mail"', 'by = "male"'))
    ended = run(desk, "notify", "routes", "routes.toml", "--json")
    assert 1 == ended.code
    assert ["routes[0].tell[0].by", "routes[1].tell[0].by"] == [
        fault["path"] for fault in ended.document["faults"]
    ]
    (desk.home / "routes.toml").write_text(ROUTES.replace('by = "mail"', 'by = "male"', 1))
    met = run(desk, "notify", "check", "--json")
    require_refused(met, 6, "ConfigError", "there is no [notifiers.male]")


def test_a_routing_file_that_is_not_there_is_no_finding(desk: Program) -> None:
    """Nothing was judged: as with every other command that judges a file, exit 6."""
    for more in ((), ("--json",)):
        met = run(desk, "notify", "routes", "none.toml", *more)
        require_refused(met, 6, "ConfigError", "there is no routing file at none.toml")


def test_the_names_of_events_stand_apart_from_what_they_mean(desk: Program) -> None:
    """The longest name has a space after it, too."""
    listed = desk.here("notify", "events").stdout.splitlines()
    told = {line.split()[0] for line in listed if not line.startswith(" ")}
    assert set(EVENT_KINDS) == told


def test_whom_a_person_told_by_hand_is_no_more_unreached(desk: Program) -> None:
    (desk.home / "routes.toml").write_text(
        """\
[[routes]]
id = "desk"
audience = "desk"
severity = "minor"
tell = [{ by = "mail", to = ["desk"] }]
""",
        encoding="utf-8",
    )
    (desk.home / "far" / "desk.refused").touch()
    assert "NOBODY WAS REACHED" in run(desk, *SENT).words
    by_hand = run(desk, "notify", "told", "late", "--to", "desk", "--by", "A. Chan")
    assert (0, False) == (by_hand.code, "NOBODY WAS REACHED" in by_hand.words)


def test_the_events_are_listed(desk: Program) -> None:
    ended = desk.here("notify", "events", "--json")
    names = [event["name"] for event in ended.document["events"]]
    assert "reports/missing" in names
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("notify", "send", " ", "--by", "x"), "there is nothing to tell"),
        (("notify", "send", "x", "--by", "x", "--event", "reports/lost"), "no event"),
        (("notify", "who", "reports/lost"), "there is no event 'reports/lost'"),
        (("notify", "ack", "nothing", "--by", "x"), "nothing was told that bears the key"),
        (("notify", "status", "nothing"), "nothing was told that bears the key"),
        (("notify", "status", "--most", "0"), "ask for at least one"),
        (
            ("notify", "told", "late", "--to", "x", "--by", "x", "--at", "2027-01-01"),
            "has not come yet",
        ),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(
    desk: Program, words: tuple[str, ...], said: str
) -> None:
    require_refused(run(desk, *words, "--json"), 2, "UsageError", said)


def test_without_notifications_there_is_nothing_to_tell_by(desk: Program) -> None:
    (desk.home / "config.toml").write_text("")
    require_refused(run(desk, *SENT, "--json"), 6, "ConfigError", "has no [notifications] table")


def test_a_process_that_runs_on_delivers_what_others_hand_in(desk: Program) -> None:
    """One line of JSON for each thing that happens; it ends when it is told to."""
    run(desk, *SENT, "--no-wait")
    process = subprocess.Popen(
        [HKEX_OPS, "notify", "run", "--json"],
        cwd=desk.home,
        env=desk.environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    # One that says too little must not be waited for.
    alarm = threading.Timer(TIMEOUT_S, process.kill)
    alarm.start()
    with process:
        assert process.stdout is not None
        seen = [json.loads(process.stdout.readline()) for _ in range(5)]
        process.send_signal(signal.SIGINT)
        process.stdout.read()
    alarm.cancel()
    assert 0 == process.returncode  # Ctrl-C is how it ends
    assert 4 == len([one for one in seen if one["happened"] == "receipt"])
    assert 4 == len(arrived(desk.home))


def test_a_form_that_may_not_be_made_is_told(desk: Program) -> None:
    """Asked about another time it is a question, and no act."""
    words = ("forms", "fill", "hkats-dcass-2019", "B", "--data", "x.toml", "--out", "b.pdf")
    assert 3 == run(desk, *words, "--at", "2019-05-05T08:50").code
    assert [] == arrived(desk.home)
    assert 3 == run(desk, *words).code
    assert "desk: [minor] Denied: filling password-reset" in arrived(desk.home)


def test_a_fallback_that_may_not_be_decided_is_told(desk: Program) -> None:
    words = ("--decide", "--by", "A. Chan", "--reason", "told so", "--at", "2019-05-03T10:00")
    assert 3 == run(desk, "fallback", "hkats-dcass-2019", *words).code
    assert "desk: [minor] Denied: fallback at 2019-05-03T10:00:00+08:00" in arrived(desk.home)


def test_a_session_that_may_not_be_worked_now_is_told(desk: Program) -> None:
    assert 3 == run(desk, "rundown", "run", "hkats-dcass-2019", "post-release-verification").code
    denied = "desk: [minor] Denied: work hkats-dcass-2019/post-release-verification"
    assert denied in arrived(desk.home)


def test_an_act_that_is_denied_is_told_once_a_day(
    desk: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A question about another time is no act."""
    clock = ManualClock(datetime(2023, 4, 20, 10, 0, tzinfo=HONG_KONG))
    for module in ("options", "handing", "may", "papers", "working"):
        monkeypatch.setattr(f"hkex_ops.cli.{module}.system_clock", lambda: clock)
    run(desk, "may", "renew-ssh-key", "--at", "2023-04-20T10:00")
    assert [] == arrived(desk.home)
    for _ in range(2):
        assert 3 == run(desk, "may", "renew-ssh-key").code
    assert [
        "desk: [minor] Denied: renew-ssh-key",
        "head: [minor] Denied: renew-ssh-key",
        "desk: 【輕微】不獲准許：renew-ssh-key",
        "head: 【輕微】不獲准許：renew-ssh-key",
    ] == arrived(desk.home)
