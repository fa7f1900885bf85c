"""The specification of the core. Doubles and helpers are imported as ``tests.<module>``."""
