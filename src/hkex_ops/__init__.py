"""Operations of Hong Kong exchange participants: circulars as data, the work done, the proof kept.

``import hkex_ops`` gives the nouns; it loads no adapter, no database and no network library.
"""

from hkex_ops.clock import Clock, ManualClock, SystemClock
from hkex_ops.errors import ConfigError, Denied, HkexOpsError, PluginError, RemoteError, StoreError
from hkex_ops.model import HONG_KONG

__all__ = [
    "HONG_KONG",
    "Clock",
    "ConfigError",
    "Denied",
    "HkexOpsError",
    "ManualClock",
    "PluginError",
    "RemoteError",
    "StoreError",
    "SystemClock",
]
