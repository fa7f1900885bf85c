"""A routing file is judged at once and whole, before the day it is needed."""

from __future__ import annotations

from pathlib import Path

import pytest

from hkex_ops.calendars import TimeOfDay
from hkex_ops.config.routes import load_routing, load_templates
from hkex_ops.errors import ConfigError
from hkex_ops.model import Audience, Language, Severity
from hkex_ops.notifications import (
    DayChoice,
    EscalationStep,
    Hours,
    QuietHours,
    Route,
    Routing,
    Telling,
)

WHOLE = """
[quiet]
hours = [{ from = "22:00", to = "07:00" }]
unless = "critical"

[[routes]]
id = "desk"
audience = "desk"
events = ["reports/*", "index/mode-changed"]
severity = "minor"
hours = [{ from = "07:00", to = "20:00", days = "business-days" }]
languages = ["en", "zh-Hant"]
tell = [{ by = "mail", to = ["desk@broker.example"] }]
fallback = [{ by = "sms", to = ["duty"] }]
fallback_after_minutes = 3
escalation = [{ after_minutes = 10, by = "sms", to = ["head"] }]
digest_s = 60
"""

WRONG = """
[quiet]
hours = []

[[routes]]
id = "sfc"
audience = "regulator"
hours = [{ from = "09:00", to = "09:00" }]
tell = []
languages = ["en", "en"]

[[routes]]
id = "sfc"
audience = "desk"
events = ["reports/lost"]
tell = [{ by = "male", to = ["a", "a", ""] }]
escalation = [{ after_minutes = 10, by = "mail", to = ["b"] },
              { after_minutes = 5, by = "mail", to = [] }]
digest_s = 4000
fallback_after_minutes = 0
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "routes.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_routing_file_as_values(tmp_path: Path) -> None:
    time = TimeOfDay.parse
    assert Routing(
        (
            Route(
                "desk",
                Audience.DESK,
                (Telling("mail", ("desk@broker.example",)),),
                ("reports/*", "index/mode-changed"),
                Severity.MINOR,
                (Hours(time("07:00"), time("20:00"), DayChoice.BUSINESS_DAYS),),
                (Language.ENGLISH, Language.CHINESE),
                (Telling("sms", ("duty",)),),
                3,
                (EscalationStep(10, "sms", ("head",)),),
                60,
            ),
        ),
        QuietHours((Hours(time("22:00"), time("07:00")),), Severity.CRITICAL),
    ) == load_routing(written(tmp_path, WHOLE), {"mail", "sms"})


def test_every_fault_is_told_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        load_routing(written(tmp_path, WRONG), {"mail"})
    assert [
        "quiet.hours",
        "routes[0].hours",
        "routes[0].hours[0]",
        "routes[0].id",
        "routes[0].languages",
        "routes[0].tell",
        "routes[1].digest_s",
        "routes[1].escalation[1].after_minutes",
        "routes[1].escalation[1].to",
        "routes[1].events[0]",
        "routes[1].fallback_after_minutes",
        "routes[1].id",
        "routes[1].tell[0].by",
        "routes[1].tell[0].to[1]",
        "routes[1].tell[0].to[2]",
    ] == [fault.path for fault in refused.value.faults]


def test_a_regulator_has_no_hours(tmp_path: Path) -> None:
    text = WHOLE.replace('audience = "desk"', 'audience = "regulator"')
    with pytest.raises(ConfigError, match="a regulator is told at any hour"):
        load_routing(written(tmp_path, text))


@pytest.mark.parametrize(
    ("expected", "wrong", "right"),
    [
        (
            "routes[0].audience: unknown word 'dsk'; did you mean 'desk'?",
            'audience = "dsk"',
            'audience = "desk"',
        ),
        ("routes[0].tels: unknown key", "tels =", "tell ="),
        ("'25:00' lies outside 00:00 to 24:00", '"25:00"', '"20:00"'),
    ],
)
def test_a_slip_of_the_pen_is_found(tmp_path: Path, expected: str, wrong: str, right: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load_routing(written(tmp_path, WHOLE.replace(right, wrong, 1)))
    assert expected in str(refused.value)


def test_a_file_without_routes_tells_nobody(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nobody would be told of anything"):
        load_routing(written(tmp_path, "routes = []"))


def test_wordings_of_the_operator_lie_over_the_shipped_ones(tmp_path: Path) -> None:
    own = tmp_path / "words.toml"
    own.write_text(
        '[[templates]]\nevent = "reports/missing"\nlanguage = "en"\nversion = 2\n'
        'subject = "Look: {missing}"\nbody = "{missing}"\n',
        encoding="utf-8",
    )
    template = load_templates([own]).of("reports/missing", Language.ENGLISH, Audience.DESK)
    assert 2 == template.version
    with pytest.raises(ConfigError, match=r"is templates\[0\] already|ships with the library"):
        load_templates([own, own])
