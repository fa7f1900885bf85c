"""What an operator may write, what he is told when it is wrong, and what importing costs."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import attrs
import pytest

from hkex_ops.config.settings import Settings, load_settings, structure_options
from hkex_ops.errors import ConfigError
from hkex_ops.model import Endpoint, SiteRole
from hkex_ops.omd.capture import CaptureStreams, Stream
from hkex_ops.omd.recorded import RecordedStreams
from hkex_ops.plugins import Plugins
from hkex_ops.ports import FeedLine
from hkex_ops_omd import (
    CaptureOptions,
    IndexFeedOptions,
    MulticastOptions,
    PublisherOptions,
)
from hkex_ops_omd.capture_options import CaptureLine
from hkex_ops_omd.index_options import IndexNaming
from hkex_ops_omd.options import (
    ChannelLines,
    MulticastLine,
    RecoveryLines,
    RetransmissionOptions,
    RetransmissionServer,
    RetransmissionSite,
    addresses_of,
)

T = TypeVar("T")

FEED = """
interface = "127.0.0.1"

[[channels]]
channel = 31
line_a = { group = "239.1.1.24", port = 51031 }

[[channels]]
channel = 30
line_a = { group = "239.1.1.24", port = 51030 }
line_b = { group = "239.1.127.24", port = 51030, interface = "127.0.0.2" }
refresh_a = { group = "239.1.1.25", port = 51030 }

[recovery]
channel = 99
line_a = { group = "239.1.1.24", port = 51099 }

[retransmission]
users = ["TESTER01", "TESTER02"]

[[retransmission.sites.primary.servers]]
host = "127.0.0.11"
port = 10001

[[retransmission.sites.primary.servers]]
host = "127.0.0.12"
port = 10001

[retransmission.sites.secondary]
servers = [{ host = "127.0.0.21", port = 10001 }]
"""

CAPTURE = """
files = ["day/", "more.pcap"]
speed = 60
channels = [30]
base_port = 20000
line_b = "239.8."
lines = [{ group = "239.9.9.9", port = 700, channel = 7, line = "recovery" }]
"""

PUBLISHER = """
interface = "127.0.0.1"
line_a = { group = "239.1.1.30", port = 52000 }
line_b = { group = "239.1.127.30", port = 52000 }
refresh_a = { group = "239.1.1.31", port = 52000 }
ttl = 0
index = { source = "S", currency = "" }

[indexes]
CES120 = { source = "C", currency = "CNY" }
"""

INDEX_FEED = """
interface = "127.0.0.1"
line_a = { group = "239.1.1.30", port = 52000 }
"""


def structured(text: str, kind: type[T], table: str = "market_feeds") -> T:
    settings = Settings(path=Path("/etc/hkex-ops/config.toml"))
    return structure_options(settings, "omd", tomllib.loads(text), kind, table=table)


# -- the plug-in ---------------------------------------------------------------------------------


def test_the_core_finds_every_offer_through_the_entry_point() -> None:
    plugins = Plugins.load()
    offers = [
        plugins.market_feed("omd-multicast"),
        plugins.market_feed("omd-capture"),
        plugins.index_publisher("omd-multicast"),
        plugins.index_feed("omd-multicast"),
    ]
    assert [MulticastOptions, CaptureOptions, PublisherOptions, IndexFeedOptions] == [
        offer.options for offer in offers
    ]


def test_importing_the_plug_in_loads_no_engine() -> None:
    """Neither the event loop nor the modules that use it, nor the tables of messages."""
    program = (
        "import sys, hkex_ops.plugins; before = {*sys.modules}; import hkex_ops_omd as omd;"
        "omd.hkex_ops_market_feeds(); omd.hkex_ops_index_publishers(); omd.hkex_ops_index_feeds();"
        "heavy = {'asyncio', 'ssl', 'hkex_ops.config.layouts', 'hkex_ops_omd.multicast',"
        "'hkex_ops_omd.captures', 'hkex_ops_omd.publishing', 'hkex_ops_omd.hearing'};"
        "print(sorted(heavy & ({*sys.modules} - before)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "[]\n" == done.stdout


# -- what is right -------------------------------------------------------------------------------


def test_a_table_becomes_options_of_the_multicast_feed() -> None:
    options = structured(FEED, MulticastOptions)
    assert "127.0.0.1" == options.interface
    second = ChannelLines(
        30,
        MulticastLine("239.1.1.24", 51030),
        MulticastLine("239.1.127.24", 51030, "127.0.0.2"),
        MulticastLine("239.1.1.25", 51030),
    )
    assert (ChannelLines(31, MulticastLine("239.1.1.24", 51031)), second) == options.channels
    assert RecoveryLines(99, MulticastLine("239.1.1.24", 51099)) == options.recovery
    assert options.retransmission is not None
    assert ("TESTER01", "TESTER02") == options.retransmission.users


@pytest.mark.parametrize(
    ("site", "hosts"), [(SiteRole.PRIMARY, "11 12 21"), (SiteRole.SECONDARY, "21 11 12")]
)
def test_the_addresses_of_a_feed_are_its_servers_in_order(site: SiteRole, hosts: str) -> None:
    expected = tuple(Endpoint(f"127.0.0.{one}", 10001) for one in hosts.split())
    assert expected == addresses_of(structured(FEED, MulticastOptions), site)
    offer = Plugins.load().market_feed("omd-multicast")
    assert expected == offer.addresses(structured(FEED, MulticastOptions), site)


def test_a_feed_without_servers_has_no_addresses() -> None:
    bare = FEED.partition("[retransmission]")[0]
    assert () == addresses_of(structured(bare, MulticastOptions), SiteRole.PRIMARY)


def test_a_table_becomes_options_of_the_capture_feed() -> None:
    """Paths count from the configuration file."""
    options = structured(CAPTURE, CaptureOptions)
    folder = Path("/etc/hkex-ops")
    assert (folder / "day", folder / "more.pcap") == options.files
    assert 60.0 == options.speed
    assert (CaptureLine("239.9.9.9", 700, 7, FeedLine.RECOVERY),) == options.lines
    named = {("239.9.9.9", 700): Stream(7, "recovery")}
    assert RecordedStreams(CaptureStreams(20_000, "239.8.", named)) == options.streams


def test_captures_as_this_library_records_them_need_no_more_than_their_names() -> None:
    options = CaptureOptions(files=("a.pcapng",))
    assert ((Path("a.pcapng"),), None, RecordedStreams()) == (
        options.files,
        options.speed,
        options.streams,
    )


def test_a_table_becomes_options_of_the_publisher() -> None:
    options = structured(PUBLISHER, PublisherOptions, "index_publishers")
    assert ["line_a", "line_b", "refresh_a"] == [name for name, _ in options.named_lines()]
    assert (2, 15, 0) == (options.heartbeat_s, options.refresh_s, options.ttl)
    assert [IndexNaming("C", "CNY"), IndexNaming("S", "")] == [
        options.naming(code) for code in ("CES120", "0000100")
    ]


def test_a_table_becomes_options_of_the_index_feed() -> None:
    options = structured(INDEX_FEED, IndexFeedOptions, "index_feeds")
    assert MulticastLine("239.1.1.30", 52000) == options.line_a
    assert options.line_b is None


# -- what is written about it ---------------------------------------------------------------------

README = Path(__file__).parents[1] / "README.md"
REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "configuration.md"


def test_every_example_of_the_readme_is_right(tmp_path: Path) -> None:
    """One file of all of them, structured as the core does it."""
    blocks = re.findall(r"^```toml\n(.*?)^```$", README.read_text(), re.MULTILINE | re.DOTALL)
    path = tmp_path / "config.toml"
    path.write_text("\n".join(blocks))
    settings = load_settings(path)
    kinds = {
        "market_feeds": {"omd": MulticastOptions, "yesterday": CaptureOptions},
        "index_publishers": {"omd": PublisherOptions},
        "index_feeds": {"omd": IndexFeedOptions},
    }
    for table, names in kinds.items():
        adapters = getattr(settings, table)
        assert [*names] == [*adapters]
        for name, kind in names.items():
            options = adapters[name].options
            assert isinstance(structure_options(settings, name, options, kind, table=table), kind)


@pytest.mark.parametrize(
    ("offer", "kinds"),
    [
        ("market feed `omd-multicast`", (MulticastOptions, RetransmissionOptions, ChannelLines)),
        ("market feed `omd-capture`", (CaptureOptions, CaptureLine)),
        ("index publisher `omd-multicast`", (PublisherOptions, IndexNaming)),
        ("index feed `omd-multicast`", (IndexFeedOptions,)),
    ],
)
def test_every_option_stands_in_the_reference(offer: str, kinds: tuple[type, ...]) -> None:
    _, _, section = REFERENCE.read_text().partition(f"## Options of the {offer}\n")
    section = section.partition("\n## ")[0]
    names = [field.name for kind in kinds for field in attrs.fields(kind)]
    assert [] == [name for name in names if not re.search(rf"\b{name}\b", section)]


# -- what is wrong -------------------------------------------------------------------------------


def wrong(
    text: str, kind: type[object], cases: list[tuple[str, str, str]]
) -> list[tuple[str, type[object], str]]:
    """A table with one place changed, and what is told."""
    found: list[tuple[str, type[object], str]] = []
    for right, changed, told in cases:
        assert right in text
        found.append((text.replace(right, changed, 1), kind, told))
    return found


NO_GROUP = "write a multicast address, from 224.0.0.0"

WRONG = [
    *wrong(
        FEED,
        MulticastOptions,
        [
            ('interface = "127.0.0.1"', "", r"options\.interface: is missing"),
            (
                'interface = "127.0.0.1"',
                'interface = "eth0"',
                "interface is 'eth0': write the",
            ),
            ('interface = "127.0.0.1"', 'interface = "239.1.1.1"', "interface is '239.1.1.1'"),
            ('interface = "127.0.0.1"', 'interface = "::1"', "interface is '::1'"),
            ('"127.0.0.2"', '"lo"', r"interface of 239\.1\.127\.24 port 51030 is 'lo'"),
            ("239.1.127.24", "10.1.1.1", f"group is '10.1.1.1': {NO_GROUP}"),
            ("239.1.127.24", "HSI", f"group is 'HSI': {NO_GROUP}"),
            ("port = 51031", "port = 0", "port of 239.1.1.24 is 0 and must be from 1 to 65535"),
            ("port = 51031", "port = 65536", "port of 239.1.1.24 is 65536"),
            (
                "port = 51031",
                "port = 51030",
                "both line_a of channel 31 and line_a of channel 30",
            ),
            ("port = 51099", "port = 51030", "line_a of recovery: each line has its own"),
            ("channel = 31", "channel = 30", "channel 30 is there twice"),
            ("channel = 31", "channel = 99", "channel 99 is there twice"),
            ("channel = 31", "channel = 65536", "channel is 65536 and must be from 0 to 65535"),
            ("channel = 31", "channel = -1", "channel is -1"),
            ("line_a = ", "refresh_a = ", "channel 31 has neither line_a nor line_b"),
            ('users = ["TESTER01", "TESTER02"]', "users = []", "retransmission has no users"),
            ('users = ["TESTER01", "TESTER02"]', "", r"retransmission\.users: is missing"),
            ('"TESTER01"', '"TESTER02"', "names a user twice"),
            ('"TESTER01"', '"A LONG USER NAME"', "must be 1 to 12 ASCII letters"),
            ('"TESTER01"', '""', "must be 1 to 12 ASCII letters"),
            ('"TESTER01"', '"恒生"', "must be 1 to 12 ASCII letters"),
            ("sites.secondary", "sites.tertiary", "there is no site 'tertiary'"),
            ('host = "127.0.0.21"', 'host = " "', "host of a retransmission server is empty"),
            ("port = 10001", "port = 0", "port of 127.0.0.11 is 0"),
            ('[{ host = "127.0.0.21", port = 10001 }]', "[]", "a site has no servers"),
            ("users =", "linger_s = 0\nusers =", "linger_s is 0 and must be at least 1"),
            ("users =", "answer_timeout_s = 0\nusers =", "answer_timeout_s is 0"),
            ("users =", "connect_timeout_s = 0\nusers =", "connect_timeout_s is 0"),
            ("users =", "password = 'x'\nusers =", "unknown key"),
            ("interface", "receive_buffer_bytes = 0\ninterface", "receive_buffer_bytes is 0"),
            ("interface", "pending_limit_packets = 0\ninterface", "pending_limit_packets is 0"),
        ],
    ),
    ('interface = "127.0.0.1"\nchannels = []', MulticastOptions, "there are no channels"),
    ("retransmission = { users = ['A'], sites = {} }", MulticastOptions, "has no sites"),
    *wrong(
        CAPTURE,
        CaptureOptions,
        [
            ('files = ["day/", "more.pcap"]', "files = []", "files is empty: name the captures"),
            ('files = ["day/", "more.pcap"]', "", r"options\.files: is missing"),
            ("speed = 60", "speed = 0", r"speed is 0\.0 and must be from 0\.001 to 1000"),
            ("speed = 60", "speed = 1001", r"speed is 1001\.0"),
            ("speed = 60", "speed = nan", "speed is nan"),
            ("speed = 60", 'speed = "fast"', "must be a number, not a text"),
            ("base_port = 20000", "base_port = 0", "base_port is 0 and must be from 1 to 65535"),
            ('line_b = "239.8."', 'line_b = ""', "line_b is empty"),
            ('line = "recovery"', 'line = "C"', "unknown word 'C'"),
            ("channel = 7", "channel = 65536", "channel is 65536"),
            ("port = 700", "port = 0", "port of 239.9.9.9 is 0"),
            ('"239.9.9.9"', '"10.9.9.9"', f"group is '10.9.9.9': {NO_GROUP}"),
            (
                "lines = [",
                'lines = [{ group = "239.9.9.9", port = 700, channel = 8, line = "A" },',
                "239.9.9.9 port 700 is there twice in lines",
            ),
        ],
    ),
    *wrong(
        PUBLISHER,
        PublisherOptions,
        [
            ('interface = "127.0.0.1"', 'interface = ""', "interface is ''"),
            ("239.1.127.30", "239.1.1.30", "is both line_a and line_b: each line has its own"),
            ("239.1.1.31", "239.1.1.30", "is both line_a and refresh_a"),
            ("ttl = 0", "ttl = 256", "ttl is 256 and must be from 0 to 255"),
            ("ttl = 0", "ttl = -1", "ttl is -1"),
            ("ttl = 0", "heartbeat_s = 0", "heartbeat_s is 0 and must be at least 1"),
            ("ttl = 0", "refresh_s = 0", "refresh_s is 0"),
            ('source = "S"', 'source = "SP"', "source of an index is 'SP'"),
            ('source = "S"', 'source = ""', "source of an index is ''"),
            ('currency = ""', 'currency = "HKDX"', "currency of an index is 'HKDX'"),
            ("CES120", "CES120CES120", "index code 'CES120CES120' must be 1 to 11 ASCII"),
            ("CES120", '""', "index code '' must be"),
        ],
    ),
    (
        INDEX_FEED.replace("interface", "ttl = 1\ninterface"),
        IndexFeedOptions,
        r"options\.ttl: unknown key",
    ),
    ('interface = "127.0.0.1"', IndexFeedOptions, "there is neither line_a nor line_b"),
    ('interface = "127.0.0.1"', PublisherOptions, "there is neither line_a nor line_b"),
]


@pytest.mark.parametrize(("text", "kind", "told"), WRONG, ids=[told for _, _, told in WRONG])
def test_a_wrong_table_is_told_apart(text: str, kind: type[object], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        structured(text, kind)


@pytest.mark.parametrize(
    "make",
    [
        lambda: MulticastLine("10.1.1.1", 1),
        lambda: MulticastLine("239.1.1.1", 1, interface="lo"),
        lambda: ChannelLines(1),
        lambda: RetransmissionServer("", 1),
        lambda: RetransmissionSite(()),
        lambda: CaptureLine("239.1.1.1", 1, 1, "C"),
        lambda: CaptureOptions(files=()),
        lambda: PublisherOptions(interface="127.0.0.1"),
    ],
)
def test_a_value_made_by_hand_is_judged_as_well(make: Callable[[], Any]) -> None:
    with pytest.raises(ConfigError):
        make()
