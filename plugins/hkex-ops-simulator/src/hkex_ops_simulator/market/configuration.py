"""The configuration that points a market feed at a live simulated market, as text.

Written for the core's own loader and the adapter ``omd-multicast`` of hkex-ops-omd, so that a
rehearsal goes the way an operator's work goes.
"""

from __future__ import annotations

from collections.abc import Iterator

from hkex_ops.model import SiteRole
from hkex_ops.ports import FeedLine
from hkex_ops_simulator.market.channels import GROUPS, RECOVERY, port_of
from hkex_ops_simulator.market.live import LiveMarket
from hkex_ops_simulator.market.sending import LOOPBACK

__all__ = ["feed_text"]

_NAMED = (
    ("line_a", FeedLine.A),
    ("line_b", FeedLine.B),
    ("refresh_a", FeedLine.REFRESH),
)


def feed_text(
    market: LiveMarket,
    *,
    name: str = "simulated",
    service: str = "",
    site: SiteRole = SiteRole.PRIMARY,
    channels: tuple[int, ...] | None = None,
) -> str:
    """The TOML of a market feed that hears ``market``, which must have been entered.

    ``channels`` are those it subscribes to, all of them unless said otherwise.
    """
    lines = [
        f"[market_feeds.{name}]",
        'adapter = "omd-multicast"',
        f'site = "{site.value}"',
        *([f'service = "{service}"'] if service else []),
        "",
        f"[market_feeds.{name}.options]",
        f'interface = "{LOOPBACK}"',
        "channels = [",
    ]
    for channel in channels or market.channels:
        port = port_of(channel, market.base_port)
        lines.append(f"  {{ channel = {channel}, {', '.join(_lines(port))} }},")
    lines += ["]", "", f"[market_feeds.{name}.options.recovery]", f"channel = {RECOVERY}"]
    port = port_of(RECOVERY, market.base_port)
    lines += [f"{key} = {_line(line, port)}" for key, line in _NAMED[:2]]
    users = ", ".join(f'"{user}"' for user in market.desk.users)
    lines += ["", f"[market_feeds.{name}.options.retransmission]", f"users = [{users}]"]
    for role in SiteRole:
        lines += ["", f"[market_feeds.{name}.options.retransmission.sites.{role.value}]"]
        servers = ", ".join(
            f'{{ host = "{one.host}", port = {one.port} }}' for one in market.retransmission(role)
        )
        lines.append(f"servers = [{servers}]")
    return "\n".join(lines) + "\n"


def _lines(port: int) -> Iterator[str]:
    for key, line in _NAMED:
        yield f"{key} = {_line(line, port)}"


def _line(line: FeedLine, port: int) -> str:
    return f'{{ group = "{GROUPS[line]}", port = {port} }}'
