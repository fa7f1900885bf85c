"""A number that the paper does not give is said to be unknown; forgetting it is a fault."""

from __future__ import annotations

import pytest

from tests.rollouts.papers import edited, faults_in, structured

PORT = "port = 10022\n"


def test_a_port_may_be_unknown() -> None:
    rollout = structured(edited((PORT, 'port = "unknown"\n')))
    assert [None, 10022, 10022, 10022] == [one.port for one in rollout.connections]


@pytest.mark.parametrize(
    ("written", "path", "message"),
    [
        ("", "connections[0].port", "is missing"),
        ('port = "10022"\n', "connections[0].port", "must be a whole number, not a text"),
        ('port = "unkown"\n', "connections[0].port", "must be a whole number, not a text"),
        ("port = true\n", "connections[0].port", "must be a whole number, not true or false"),
    ],
)
def test_a_port_is_never_left_out_or_guessed(written: str, path: str, message: str) -> None:
    assert [(path, message)] == faults_in(edited((PORT, written)))
