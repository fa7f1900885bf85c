"""This library as the desk uses it, whole: pinned host key, listing judged and kept, temporary names, SHA-256, durable
files, ledger.  --skip FILE leaves out the names in FILE (JSON list): that is how an archive of yesterday is prepared."""
from common import *
ap = parser(); ap.add_argument("--skip", default=""); ap.add_argument("--profile", default=""); a = ap.parse_args()
import asyncio
from datetime import date
from pathlib import Path
from hkex_ops.clock import SystemClock
from hkex_ops.flows.fetch import fetch_reports
from hkex_ops.flows.sources import ConfiguredSource
from hkex_ops.flows.store import Archive
from hkex_ops.model import SiteRole
from hkex_ops.reports.catalogue import Catalogue, IgnoreRule, ReportRule
from hkex_ops.reports.dates import DateForm
from hkex_ops_sftp import SftpAddress, SftpOptions, SftpSite, hkex_ops_report_sources
t_imp = time.perf_counter()
CODES = tuple(f"CB{number:03}" for number in range(1000))
RULES = (ReportRule("bench", r"00RPT(?P<code>CB[0-9]{3})_(?P<business_date>[0-9]{8})_(?P<instance>[0-9]+)\.CSV", DateForm.YYYYMMDD, CODES, "CRE"),
         ReportRule("bench", r"(?:big|huge)_(?P<business_date>[0-9]{8})(?:_(?P<instance>[0-9]+))?\.csv", DateForm.YYYYMMDD, ("LARGE",), "CRE", "LARGE"))
async def main():
    [line] = {l.split(" ", 1)[1] for l in open(a.known).read().splitlines() if l.startswith(f"[{a.host}]")}
    options = SftpOptions(user=a.user, key_file=Path(a.key), folder=a.remote, connections=a.conns,
        sites={"primary": SftpSite((SftpAddress(a.host, a.port, (line,)),))})
    [offer] = hkex_ops_report_sources()
    ignore = tuple(IgnoreRule(name.replace(".", r"\."), "left for later") for name in json.load(open(a.skip))) if a.skip else ()
    source = ConfiguredSource("bench", "bench", SiteRole.PRIMARY, (), offer, options)
    clock = SystemClock()
    with Archive.open(Path(a.dest), clock=clock) as archive:
        told = await fetch_reports(source, archive, Catalogue(RULES, ignore=ignore), clock, site=SiteRole.PRIMARY,
            business_date=date(2026, 11, 20), observe=lambda event: None)
    assert not told.findings, told.findings[:3]
    done(imp=round(t_imp - T0, 3), kept=len(told.kept))
if a.profile:
    import cProfile; p = cProfile.Profile(); p.runcall(asyncio.run, main()); p.dump_stats(a.profile)
else: asyncio.run(main())
