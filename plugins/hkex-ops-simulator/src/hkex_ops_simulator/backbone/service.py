"""One market data service of a rehearsal: what it sends in a session, and what its client heard.

OMD-C is a small market day of the simulator, OMD-CC its China Connect counterpart. Each session
has the market live on loopback at ports of its own; the client comes by the configuration file
that is written here, as an operator's would.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path

from attrs import define, field

from hkex_ops.config.layouts import DEFAULT_SPEC, load_codec
from hkex_ops.config.settings import load_settings
from hkex_ops.errors import StoreError
from hkex_ops.flows.index.adapters import Configured, configured_market_feed
from hkex_ops.model import SiteRole
from hkex_ops.omd import Codec
from hkex_ops.plugins import Plugins
from hkex_ops.ports import MarketFeed
from hkex_ops_simulator.backbone.client import MarketClient
from hkex_ops_simulator.market.channels import RECOVERY, Feed, channels_of
from hkex_ops_simulator.market.configuration import feed_text
from hkex_ops_simulator.market.connect import CONNECT_CHANNELS, CONNECT_SPEC, ConnectDay
from hkex_ops_simulator.market.day import MarketDay
from hkex_ops_simulator.market.live import LiveMarket, LiveOptions
from hkex_ops_simulator.market.packing import Sent
from hkex_ops_simulator.market.retransmission import RetransmissionRules
from hkex_ops_simulator.market.shape import Shape
from hkex_ops_simulator.market.timetable import Timetable

__all__ = ["OMD_C", "OMD_CC", "MarketService"]

OMD_C = "OMD-C"
OMD_CC = "OMD-CC"

_SECURITIES, _MESSAGES = 40, 1200
_MINUTES = 6
_REFRESH_EVERY_MS = 40
# Sooner than the exchange's thirty seconds: a rehearsal does not wait for them.
_RULES = RetransmissionRules(heartbeat_s=1)


@define
class MarketService:
    """A service in one rehearsal. ``folder`` must exist; a session is opened and closed again.

    ``market`` and ``client`` are there while a session is open.
    """

    name: str
    folder: Path
    plugins: Plugins
    seed: int
    market: LiveMarket | None = field(default=None, init=False)
    client: MarketClient | None = field(default=None, init=False)
    _stack: AsyncExitStack = field(factory=AsyncExitStack, init=False)

    @property
    def channels(self) -> Sequence[int]:
        """Its real-time channels, ascending."""
        return CONNECT_CHANNELS if self.name == OMD_CC else channels_of(Feed.PREMIUM, 1)

    @property
    def codec(self) -> Codec:
        """What reads its messages."""
        return load_codec(CONNECT_SPEC if self.name == OMD_CC else DEFAULT_SPEC)

    def stream(self, start: datetime) -> Iterable[Sent]:
        """What it sends in a session that begins at ``start``, invented from the seed."""
        seed = self.seed + start.toordinal()
        if self.name == OMD_CC:
            return ConnectDay(seed, start, messages=_MESSAGES // 2, minutes=_MINUTES).sent()
        shape = Shape(
            seed=seed,
            business_date=start.date(),
            securities=_SECURITIES,
            groups=1,
            indexes=1,
            messages=_MESSAGES,
            minutes=_MINUTES,
        )
        return MarketDay(shape, Timetable.trial(start, _MINUTES)).sent()

    async def open_market(self, start: datetime) -> LiveMarket:
        """The market of a session, up; another one ends first."""
        await self.close()
        options = LiveOptions(
            seed=self.seed,
            refresh_every_ms=_REFRESH_EVERY_MS,
            rules=_RULES,
        )
        market = LiveMarket(self.stream(start), self.channels, self.codec, options)
        self.market = await self._stack.enter_async_context(market)
        return market

    async def open_client(self, site: SiteRole) -> MarketClient:
        """The client's feed, opened at ``site`` from its configuration file; one at a time."""
        await self.close_client()
        client = MarketClient(self._configured(), site, self.codec, RECOVERY)
        self.client = await client.__aenter__()
        return client

    async def close_client(self) -> None:
        """The client leaves."""
        client, self.client = self.client, None
        if client is not None:
            await client.__aexit__(None, None, None)

    async def close(self) -> None:
        """The client leaves, and the market ends."""
        await self.close_client()
        await self._stack.aclose()
        self._stack, self.market = AsyncExitStack(), None

    def _configured(self) -> Configured[MarketFeed]:
        assert self.market is not None, "a client comes to a market"
        path = self.folder / f"market-{self.name.casefold()}.toml"
        try:
            path.write_text(feed_text(self.market), encoding="utf-8")
        except OSError as error:
            raise StoreError(f"cannot be written: {error}", path=str(path)) from error
        return configured_market_feed(load_settings(path), self.plugins, None)
