"""Index values: baskets, engines, the gateway, the contingency. Knows no packet and no clock.

The way of a tick, with the names as the other rooms use them::

    baskets = load_baskets(path)                          # hkex_ops.config.baskets
    engine = Engine(baskets, IndexRules(), name="a", site=SiteRole.PRIMARY, channels=(30, 31))
    engine.handle(record, now)   -> tuple[EngineEvent, ...]       # hkex_ops.index.records
    engine.poll(now)             -> tuple[EngineEvent, ...]       # a few times a second

    table = SnapshotComputation(baskets, rules, channels=(30, 31))    # the second computation
    table.handle(record, now)
    table.values_at(time_ns, closing=False) -> tuple[SnapshotValue, ...]

    gateway = Gateway({"a": site, "b": site}, GatewayRules(), IndexRules())
    gateway.handle(TicksArrived("a", ticks_of_one_moment), now)       # or SnapshotArrived,
    gateway.poll(now)            -> tuple[GatewayEvent, ...]          # SessionRecord, Hold, ...

    contingency = Contingency("first", site, ContingencyRules(), IndexRules())
    contingency.handle(EngineHeard("a", time_ns), now)                # or SessionRecord,
    contingency.poll(now)        -> tuple[ContingencyEvent, ...]      # PublicationHeld, ...

    watch = Watch(indexes, WatchRules(), IndexRules())                # hears ticks, trades, lines

Each but the table has ``snapshot() -> JsonObject`` and ``restore(snapshot)``.

``EngineEvent`` is `TickComputed` (all indexes of a moment in a row, in the baskets' order, with a
``status`` of `IndexStatus`: O, T, R and C), `RecordJournalled` (with a `JournalReason`),
`StockMarked`, `StockHealed`, `MomentIncomplete` or `IndexIncomplete`. `index_tick(tick, ...)` makes
the `IndexTick` of the model; the gateway's `TicksPublished` has such already.

Whoever joins the machines tells each what the others said: a `ModeChanged` to active is a `Hold`
for the gateway, to ordered an `Order`; a `GatewayStateChanged` to held is `PublicationHeld` for the
contingency, and `PublicationResumed` is `RealTimeResumed`. The values of `SnapshotDue` are those of
``table.values_at(due.time_ns, closing=due.closing)``; the same table's values of every tick go to
the gateway as `SnapshotArrived`, those of the closing tick with ``closing=True``.

``now`` is the receiving host's time and matters for settling only; in a replay it may be any.
Messages of a refresh come as records with ``sequence=0`` and ``send_time_ns=0``, messages of a
retransmission with ``send_time_ns=0``. Heartbeats come as `TimePassed`: without them a quiet
channel is waited for. A gap that stays open holds its channel back in `omd.line`; one that is lost
comes as `RecordsLost`, a message held back for good as `QuarantinedRecord`. Whoever begins in the
middle of a day says `RecordsLost` of everything before.
"""
