"""A desk configured for a clearing house that stands in, as an operator would have it on disk."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from hkex_ops.config.settings import load_settings
from hkex_ops.flows.clearing.gateways import ConfiguredGateway, configured_gateway
from hkex_ops.flows.plugged import load_plugins
from hkex_ops.plugins import Plugins
from hkex_ops_simulator.oapi.back_office import configuration_lines, write_desk
from hkex_ops_simulator.oapi.house import HouseShape
from hkex_ops_simulator.oapi.stand_in import OapiStandIn

SHAPE = HouseShape(trades_a_day=30, trades=7, segment_items=40)


@cache
def _plugins() -> Plugins:
    return load_plugins()


def configured(it: OapiStandIn, folder: Path) -> ConfiguredGateway:
    files = write_desk(it.house, folder, differ=False)
    gateways = [(site, one) for site, many in it.sites.items() for one in many]
    lines = configuration_lines(it.library, files, gateways)
    path = folder / "config.toml"
    path.write_text("\n".join(lines) + "\n")
    return configured_gateway(load_settings(path), _plugins())
