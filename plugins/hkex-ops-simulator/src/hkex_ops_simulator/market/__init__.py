"""A market in a box: a seeded day of OMD-C, invented from end to end, as bytes on two lines.

:mod:`~hkex_ops_simulator.market.day` says what the exchange sends, and is pure;
:mod:`~hkex_ops_simulator.market.lines` puts it into packets and lets lines A and B lose some;
captures, multicast and the recovery services carry it out. Everything in it is SYNTHETIC.
"""
