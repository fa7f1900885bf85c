"""Options of the probes, and what importing the plug-in costs."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from hkex_ops.errors import ConfigError
from hkex_ops.plugins import Plugins
from hkex_ops_basic import HttpsOptions, TcpOptions
from hkex_ops_basic.options import fingerprint_text, parse_fingerprint

DIGEST = bytes(range(32))
SPELT = (
    "SHA256:00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:"
    "10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F"
)


def test_the_plugin_offers_both_probes() -> None:
    offered = Plugins.load().probes()
    assert TcpOptions is offered["tcp"].options
    assert HttpsOptions is offered["https"].options


def test_a_probe_that_nobody_offers_is_named_with_those_on_offer() -> None:
    with pytest.raises(ConfigError, match=r"probe ping is not on offer; on offer: .*https.*tcp"):
        Plugins.load().probe("ping")


def test_importing_the_plugin_loads_no_network() -> None:
    code = (
        "import sys; import hkex_ops.plugins; before = {*sys.modules};"
        "import hkex_ops_basic; hkex_ops_basic.hkex_ops_probes();"
        "print(sorted({'ssl', 'asyncio', 'http.client'} & ({*sys.modules} - before)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "[]\n" == done.stdout


@pytest.mark.parametrize(
    "text",
    [SPELT, SPELT.lower().replace("sha256", "SHA256"), SPELT[7:], SPELT.replace(":", "")[6:]],
)
def test_a_fingerprint_is_read_as_openssl_prints_it(text: str) -> None:
    assert DIGEST == parse_fingerprint(text)


def test_a_fingerprint_is_written_as_it_is_read() -> None:
    assert SPELT == fingerprint_text(DIGEST)


@pytest.mark.parametrize("text", ["", "SHA256:", "SHA1:" + "0" * 40, SPELT + "00", "zz" * 32])
def test_what_is_no_fingerprint_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="is no fingerprint of a certificate"):
        HttpsOptions(certificates=(text,), expect_text="x")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"expect_text": "x"}, "nothing says which certificate is right"),
        ({"expect_text": " ", "ca_file": "ca.pem"}, "expect_text is empty"),
        ({"expect_text": "x", "ca_file": "ca.pem", "expect_status": 99}, "expect_status is 99"),
        ({"expect_text": "x", "ca_file": "ca.pem", "timeout_s": 0}, "timeout_s is 0"),
    ],
)
def test_options_that_cannot_be_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        HttpsOptions(**options)


def test_a_look_by_tcp_takes_some_time() -> None:
    with pytest.raises(ConfigError, match="timeout_s is 0 and must be at least 1"):
        TcpOptions(timeout_s=0)
