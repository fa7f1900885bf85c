"""Webhook, file and console keep the contract of notifiers; what is their own besides."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from attrs import evolve
from basic_certificates import Authority
from basic_hooks import SECRET, ConsoleBench, FileBench, HookBench, secret_file

from hkex_ops.errors import ConfigError, HkexOpsError
from hkex_ops.model import Language, Notification, Outcome, Receipt, SiteRole
from hkex_ops.testing import NotifierContract
from hkex_ops.testing.notifier_contract import _notification
from hkex_ops_basic import WebhookOptions
from hkex_ops_basic.note_documents import note_document, note_identity


class TestWebhook(NotifierContract):
    @pytest.fixture(params=["https", "http"])
    async def bench(
        self, authority: Authority, tmp_path: Path, request: pytest.FixtureRequest
    ) -> AsyncIterator[HookBench]:
        signed_by = authority if request.param == "https" else None
        async with HookBench(tmp_path, signed_by) as bench:
            yield bench


class TestFile(NotifierContract):
    @pytest.fixture
    def bench(self, tmp_path: Path) -> FileBench:
        return FileBench(tmp_path)


class TestConsole(NotifierContract):
    @pytest.fixture
    def bench(self, capsys: pytest.CaptureFixture[str]) -> ConsoleBench:
        return ConsoleBench(capsys)


TOLD: Notification = _notification("k")


@pytest.fixture
async def hook(authority: Authority, tmp_path: Path) -> AsyncIterator[HookBench]:
    async with HookBench(tmp_path, authority) as bench:
        yield bench


async def tell(bench: HookBench, options: WebhookOptions | None = None) -> tuple[Receipt, ...]:
    async with bench.offer.open(options or bench.options(), SiteRole.PRIMARY) as notifier:
        return await notifier.notify(TOLD, ["desk"])


async def test_the_document_says_everything(hook: HookBench) -> None:
    await tell(hook)
    (posted,) = hook.posted
    assert json.loads(json.dumps(note_document(TOLD, "desk"))) == posted.document
    assert note_identity(TOLD, "desk") == posted.headers["Idempotency-Key"]
    assert "/desk" == posted.path


@pytest.mark.parametrize(
    ("expected", "status"),
    [
        (Outcome.TAKEN, "200 OK"),
        (Outcome.TAKEN, "204 No Content"),
        (Outcome.REFUSED, "301 Moved Permanently"),
        (Outcome.REFUSED, "404 Not Found"),
        (Outcome.DEFERRED, "408 Request Timeout"),
        (Outcome.DEFERRED, "429 Too Many Requests"),
        (Outcome.DEFERRED, "503 Service Unavailable"),
        (Outcome.UNKNOWN, "500 Internal Server Error"),
        (Outcome.UNKNOWN, "502 Bad Gateway"),
        (Outcome.UNKNOWN, "504 Gateway Timeout"),
    ],
)
async def test_what_a_status_means(hook: HookBench, expected: Outcome, status: str) -> None:
    """A gateway that lost the answer may have handed the document on."""
    hook.status = status
    (receipt,) = await tell(hook)
    assert expected is receipt.outcome
    assert f"HTTP {status[:3]}" in receipt.reference + receipt.detail


async def test_the_servers_words_are_the_receipt(hook: HookBench) -> None:
    (receipt,) = await tell(hook)
    assert "HTTP 202: noted as 7" == receipt.reference


async def test_a_server_that_shows_another_certificate_is_told_nothing(
    hook: HookBench, tmp_path: Path
) -> None:
    other = Authority(tmp_path, "other")
    (receipt,) = await tell(hook, evolve(hook.options(), ca_file=other.file))
    assert Outcome.REFUSED is receipt.outcome
    assert "its certificate is not accepted" in receipt.detail
    assert b"" == hook.far_side.heard


@pytest.mark.parametrize(
    ("expected", "address"),
    [
        ("must be one of https", "ftp://hook.example/"),
        ("must be one of https", "https:///path"),
        ("must be one of https", "https://hook.example:port/"),
        ("without protection", "http://hook.example/"),
        ("no user and no password", "https://user:word@hook.example/"),
        ("characters that none can hold", "https://hook.example/a b"),
    ],
)
def test_an_address_that_cannot_be_is_a_fault_of_the_options(
    tmp_path: Path, expected: str, address: str
) -> None:
    with pytest.raises(ConfigError, match=expected) as refused:
        WebhookOptions(receivers={"desk": address}, secret_file=secret_file(tmp_path))
    assert address not in str(refused.value), "an address may hold a token"


def test_an_address_is_in_no_representation(tmp_path: Path) -> None:
    options = WebhookOptions(
        receivers={"desk": "https://hook.example/T0K3N"}, secret_file=secret_file(tmp_path)
    )
    assert "T0K3N" not in repr(options)


async def test_a_secret_that_others_can_read_is_refused(hook: HookBench) -> None:
    options = hook.options()
    options.secret_file.chmod(0o644)
    with pytest.raises(ConfigError, match="open to other users") as refused:
        await tell(hook, options)
    assert SECRET not in str(refused.value)


async def test_a_file_that_is_gone_is_said_to_be(tmp_path: Path) -> None:
    bench = FileBench(tmp_path)
    async with bench.offer.open(bench.options(), SiteRole.PRIMARY) as notifier:
        await notifier.notify(TOLD, ["desk"])
        bench.file.unlink()
        bench.folder.rmdir()
        with pytest.raises(HkexOpsError):
            await notifier.notify(TOLD, ["desk"])


async def test_chinese_stands_in_the_file_as_chinese(tmp_path: Path) -> None:
    bench = FileBench(tmp_path)
    async with bench.offer.open(bench.options(), SiteRole.PRIMARY) as notifier:
        await notifier.notify(_notification("k", language=Language.CHINESE), ["desk"])
    assert "報告" in bench.file.read_text(encoding="utf-8")
