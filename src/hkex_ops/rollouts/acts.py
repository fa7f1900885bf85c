"""The acts that a question may be about, by name: a misspelt one is an error, never "allowed".

Called by the guard and by whatever sets a rule aside.
"""

from __future__ import annotations

from difflib import get_close_matches

from hkex_ops.errors import UsageError
from hkex_ops.model import ACTIONS

__all__ = ["require_action"]


def require_action(action: str) -> None:
    """`UsageError` with the nearest name unless ``action`` is one that papers speak of."""
    if action in ACTIONS:
        return
    near = get_close_matches(action, ACTIONS, n=1)
    hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(ACTIONS)}"
    raise UsageError(f"there is no action {action!r}; {hint}")
