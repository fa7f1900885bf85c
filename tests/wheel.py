"""Whether the packages of this checkout would be imported from it or from an installed wheel."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

__all__ = ["CHECKOUT", "SOURCES", "packages_from_checkout"]

CHECKOUT = Path(__file__).resolve().parents[1]

SOURCES = (CHECKOUT / "src", *sorted(CHECKOUT.glob("plugins/*/src")))


def packages_from_checkout() -> tuple[str, ...]:
    """The packages whose import would find a source folder of the checkout itself."""
    names = (init.parent.name for source in SOURCES for init in source.glob("*/__init__.py"))
    return tuple(name for name in names if _is_from_checkout(name))


def _is_from_checkout(name: str) -> bool:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        return False
    return any(Path(spec.origin).resolve().is_relative_to(source) for source in SOURCES)
