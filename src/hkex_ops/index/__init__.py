"""Index values: baskets, engines, the gateway, the contingency. Knows no packet and no clock.

The way of a tick, with the names as the other rooms use them::

    baskets = load_baskets(path)                     # hkex_ops.config.baskets
    engine = Engine(baskets, IndexRules(), name="a", site=SiteRole.PRIMARY, channels=(30, 31))
    engine.handle(record, now) -> tuple[EngineEvent, ...]     # records: hkex_ops.index.records
    engine.poll(now)           -> tuple[EngineEvent, ...]     # a few times a second
    engine.snapshot() -> JsonObject; engine.restore(snapshot); engine.positions -> {channel: last}

``EngineEvent`` is `TickComputed` (all indexes of a moment in a row, in the baskets' order, with a
``status`` of `IndexStatus`: O, T, R and C), `RecordJournalled` (with a `JournalReason`),
`StockMarked`, `StockHealed`, `MomentIncomplete` or `IndexIncomplete`. `index_tick(tick, ...)` makes
the `IndexTick` of the model.

``now`` is the receiving host's time and matters for settling only; in a replay it may be any.
Messages of a refresh come as records with ``sequence=0`` and ``send_time_ns=0``, messages of a
retransmission with ``send_time_ns=0``. Heartbeats come as `TimePassed`: without them a quiet
channel is waited for. A gap that stays open holds its channel back in `omd.line`; one that is lost
comes as `RecordsLost`, a message held back for good as `QuarantinedRecord`.
"""
