"""The notifier keeps the contract, against a real HTTP server; what Apprise says is judged."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from apprise_bench import SECRET, AppriseBench

from hkex_ops.errors import ConfigError
from hkex_ops.model import Outcome, SiteRole
from hkex_ops.testing import NotifierContract
from hkex_ops.testing.notifier_contract import _notification
from hkex_ops_apprise import AppriseOptions, open_apprise
from hkex_ops_apprise.outcomes import judged, overhearing


class TestApprise(NotifierContract):
    @pytest.fixture
    async def bench(self, tmp_path: Path) -> AsyncIterator[AppriseBench]:
        async with AppriseBench(tmp_path) as bench:
            yield bench


@pytest.mark.parametrize(
    ("expected", "texts"),
    [
        (Outcome.REFUSED, ["Failed to send JSON POST notification: Unauthorized, error=401."]),
        (Outcome.DEFERRED, ["Failed to send notification: error=429."]),
        (Outcome.DEFERRED, ["Failed: Service Unavailable, error=503."]),
        (Outcome.UNKNOWN, ["Failed: Bad Gateway, error=502."]),
        (Outcome.DEFERRED, ["Socket Exception: HTTPConnectionPool: NewConnectionError(refused)"]),
        (Outcome.DEFERRED, ["Socket Exception: ConnectTimeoutError"]),
        (Outcome.UNKNOWN, ["Socket Exception: Read timed out."]),
        (Outcome.UNKNOWN, []),
        (Outcome.UNKNOWN, ["Sent Telegram notification.", "Failed: error=400."]),
    ],
)
def test_what_a_failure_means(expected: Outcome, texts: list[str]) -> None:
    """Only a failure before the message went out may be tried again."""
    outcome, said = judged(texts)
    assert expected is outcome
    assert said.isprintable()


def test_what_the_engine_logs_is_kept_from_other_logs(caplog: pytest.LogCaptureFixture) -> None:
    """Its debugging texts have URLs in them."""
    logger = logging.getLogger("apprise")
    before = (logger.level, logger.propagate, list(logger.handlers))
    with caplog.at_level(logging.DEBUG), overhearing() as heard:
        logger.debug("JSON POST URL: %s", SECRET)
    assert [f"JSON POST URL: {SECRET}"] == heard.texts
    assert "" == caplog.text
    assert before == (logger.level, logger.propagate, list(logger.handlers))


async def opened(path: Path) -> None:
    async with open_apprise(AppriseOptions(receivers_file=path), SiteRole.PRIMARY):
        pass


@pytest.mark.parametrize(
    ("expected", "content"),
    [
        ("is none that Apprise knows", f'desk = "nonsense://{SECRET}"'),
        ("is not TOML", f"desk = json://{SECRET}"),
        ("and no other", f'desk = ["json://{SECRET}"]'),
        ("and no other", ""),
    ],
)
async def test_a_file_that_cannot_be_used_is_said_to_be_without_what_it_holds(
    tmp_path: Path, expected: str, content: str
) -> None:
    path = tmp_path / "receivers.toml"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(ConfigError, match=expected) as refused:
        await opened(path)
    assert SECRET not in f"{refused.value} {refused.value.__cause__!r}"


async def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "receivers.toml"
    path.write_text('desk = "json://127.0.0.1"')
    path.chmod(0o640)
    with pytest.raises(ConfigError, match="open to other users"):
        await opened(path)
    with pytest.raises(ConfigError, match="there is no file"):
        await opened(tmp_path / "other.toml")


async def test_the_receipt_names_the_service(tmp_path: Path) -> None:
    async with (
        AppriseBench(tmp_path) as bench,
        bench.offer.open(bench.options(), SiteRole.PRIMARY) as notifier,
    ):
        (receipt,) = await notifier.notify(_notification("k"), ["desk"])
    assert (Outcome.TAKEN, "taken by JSON") == (receipt.outcome, receipt.reference)
