"""An incident as several papers tell it."""
