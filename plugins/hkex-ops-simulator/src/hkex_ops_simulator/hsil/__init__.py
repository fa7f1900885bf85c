"""Friday 22 January 2010, played again: the order of messages that stopped an index.

:mod:`~hkex_ops_simulator.hsil.script` is the day as it was sent, :mod:`~.old_design` a toy of the
systems that stopped, and the rehearsal holds the new pipeline against the same bytes. Stocks and
prices are SYNTHETIC, solved so that the published values come out to the cent.
"""
