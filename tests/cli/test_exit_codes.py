"""Each exit code by a real case, as a process: what is on stdout, and what on stderr."""

from __future__ import annotations

import json

import pytest

from tests.cli.desk import FRIDAY, Desk
from tests.cli.program import Ended, Program, require_refused


def fetch(desk: Desk, *more: str) -> Ended:
    return desk.program.run(
        "reports", "fetch", "--config", desk.config, "--business-date", FRIDAY, *more
    )


def test_0_all_is_well_and_there_is_nothing_for_cron_to_mail(desk: Desk) -> None:
    """A day that went well, and the run after it, say nothing on stderr."""
    names = desk.publish_day()
    ended = fetch(desk, "--json")
    assert (0, "") == (ended.code, ended.stderr)
    assert names == sorted(kept["name"] for kept in ended.document["fetched"])
    again = fetch(desk)
    assert (0, "") == (again.code, again.stderr)


def test_1_done_with_findings(desk: Desk) -> None:
    """Each is one line on stderr, which cron mails."""
    desk.publish_day()
    desk.publish("WHAT.csv")
    ended = fetch(desk, "--json")
    assert (1, ["unrecognised"]) == (
        ended.code,
        [finding["kind"] for finding in ended.document["findings"]],
    )
    assert ended.stderr.startswith("finding: unrecognised: WHAT.csv: ")


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_2_the_question_makes_no_sense(program: Program, more: list[str]) -> None:
    ended = program.run("calendar", "2050-01-03", *more)
    require_refused(ended, 2, "OutsideCalendar", "2050-01-03")
    assert bool(more) == bool(ended.stdout)


def test_3_denied_and_stdout_carries_the_answer(program: Program) -> None:
    ended = program.run("may", "renew-ssh-key", "--at", "2023-04-20", "--json")
    assert (3, "deny", "") == (ended.code, ended.document["decision"], ended.stderr)


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_4_the_other_side_is_not_there(desk: Desk, more: list[str]) -> None:
    desk.configure(options={"goes_wrong": "unreachable"})
    ended = desk.program.run("reports", "list", "--config", desk.config, *more)
    require_refused(ended, 4, "Unreachable", "cannot be reached")
    assert bool(more) == bool(ended.stdout)


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_5_the_other_side_refused(desk: Desk, more: list[str]) -> None:
    desk.configure(options={"goes_wrong": "host-key"})
    ended = fetch(desk, *more)
    require_refused(ended, 5, "HostKeyMismatch", "SHA256:seen", "SHA256:pinned")
    assert bool(more) == bool(ended.stdout)


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_6_configuration_plugin_or_store(program: Program, more: list[str]) -> None:
    ended = program.run("reports", "verify", *more)
    require_refused(ended, 6, "ConfigError", "there is no configuration", "--config FILE")
    assert bool(more) == bool(ended.stdout)


def test_a_log_on_request_goes_to_stderr_as_json_lines(desk: Desk) -> None:
    desk.publish_day()
    ended = fetch(desk, "--json", "--verbose")
    assert 3 == len(ended.document["fetched"])
    logged = [json.loads(line) for line in ended.stderr.splitlines() if line.startswith("{")]
    assert ["report_kept"] * 3 == [line["event"] for line in logged]
