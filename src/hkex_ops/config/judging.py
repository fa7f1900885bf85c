"""A document structured and judged in one pass, so that every fault comes out at once.

The shape of a table is structured first and its sense judged on the value. Where the shape is at
fault the table is mended (:mod:`hkex_ops.config.mending`, loaded only then) and judged all the
same. Called by the loaders of this package only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from cattrs import Converter

from hkex_ops.config.structuring import in_order, structure
from hkex_ops.errors import ConfigError, Fault

__all__ = ["structure_and_judge"]

T = TypeVar("T")

MENDING_ROUNDS = 4
"""How often a document is mended to look for more faults; one round finds nearly all of them."""


def structure_and_judge(
    table: Mapping[str, object],
    kind: type[T],
    sense: Callable[[T], Iterable[Fault]],
    *,
    document: str,
    converter: Converter,
    hangs_on: Callable[[str, Sequence[str]], bool] = lambda path, places: False,
) -> T:
    """``table`` as a ``kind`` of which ``sense`` finds nothing wrong, or every fault at once.

    ``hangs_on`` says of a path whether what is said there may come only of the mended places.
    Raises `ConfigError`.
    """
    try:
        value = structure(table, kind, document=document, converter=converter)
    except ConfigError as error:
        found = list(error.faults)
    else:
        if not (found := list(sense(value))):
            return value
        raise ConfigError(in_order(found), document=document)
    from hkex_ops.config.mending import mended, touches

    table = mended(table, kind, [fault.path for fault in found])
    for _ in range(MENDING_ROUNDS):
        places = [fault.path for fault in found]
        try:
            value = structure(table, kind, document=document, converter=converter)
        except ConfigError as error:
            found += [one for one in error.faults if not touches(one.path, places)]
            table = mended(table, kind, [fault.path for fault in error.faults])
            continue
        found += [
            one
            for one in sense(value)
            if not touches(one.path, places) and not hangs_on(one.path, places)
        ]
        break
    raise ConfigError(in_order(found), document=document)
