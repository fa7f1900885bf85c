"""Index values: baskets, engines, the gateway, the contingency. Knows no packet and no clock."""
