"""Market data in the rehearsals of the backbone circulars: a live market, a client that hears it.

What used to be a listener that says nothing is spoken to: lines, heartbeats, gaps, refresh, the
recovery signal, at either site, by the adapter ``omd-multicast`` of hkex-ops-omd.
"""
