"""The look of a summary: one style sheet inside the page, and nothing from elsewhere.

Light and dark follow the reader's system; on paper it is always light. On a narrow screen the rows
of a table become cards, each value under its column's name.
"""

from __future__ import annotations

__all__ = ["STYLE"]

_LIGHT = (
    "--paper:#fff;--ink:#16202b;--quiet:#52606e;--line:#d4dae1;--band:#f3f5f8;--accent:#173a6b;"
    "--bar:#cbd8ea;--bar-ink:#12294b;--passed:#176437;--failed:#b3261e;--unknown:#875800;"
    "--skipped:#52606e;--refused:#6a2c9c;"
)
_DARK = (
    "--paper:#11161b;--ink:#e7ecf1;--quiet:#a4afba;--line:#333d47;--band:#1a2128;--accent:#90bbf5;"
    "--bar:#2c4568;--bar-ink:#e7effb;--passed:#6fd39b;--failed:#ff938b;--unknown:#f0bf66;"
    "--skipped:#a4afba;--refused:#cfa8f5;"
)

STYLE = (
    ":root{color-scheme:light dark;"
    + _LIGHT
    + "}@media (prefers-color-scheme:dark){:root{"
    + _DARK
    + """}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,-apple-system,\
"Segoe UI",Roboto,"Helvetica Neue",Arial,"Noto Sans",sans-serif}
main{max-width:1080px;margin:0 auto;padding:32px 28px 64px}
h1{font-size:1.75rem;line-height:1.25;margin:.2rem 0 .6rem;color:var(--accent)}
h2{font-size:1.2rem;margin:2.6rem 0 .7rem;padding-top:.9rem;border-top:2px solid var(--accent)}
h3{font-size:1rem;margin:1.6rem 0 .5rem}
p{margin:.5rem 0;max-width:78ch}
a{color:var(--accent)}
.over,.quiet,caption,figcaption{color:var(--quiet)}
.over{margin:0;letter-spacing:.04em;font-size:.85rem;text-transform:uppercase}
.notice{border:1px solid var(--unknown);border-left-width:5px;padding:.6rem .9rem;max-width:none}
.verdict{display:flex;gap:.9rem;align-items:center;background:var(--band);border-left:6px solid;\
padding:.8rem 1.1rem;margin:1.1rem 0}
.verdict svg{width:34px;height:34px;flex:none}
.verdict strong{font-size:1.25rem;letter-spacing:.03em}
.verdict span{color:var(--ink);display:block}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1.2rem;margin:1rem 0}
dt{color:var(--quiet)}
dd{margin:0;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%;font-size:.92rem;margin:.4rem 0 1rem}
caption{text-align:left;padding:.2rem 0 .4rem}
th,td{text-align:left;vertical-align:top;padding:.42rem .6rem;border-bottom:1px solid var(--line)}
thead th{background:var(--band);font-weight:600;white-space:nowrap}
tbody th{font-weight:600}
tr.group th{background:none;padding-top:1rem;color:var(--accent);border-bottom-color:var(--accent)}
.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.when{font-variant-numeric:tabular-nums;white-space:nowrap}
.file{white-space:nowrap}
.source{color:var(--quiet);font-size:.9em;font-weight:400}
.rules tbody th{font-weight:400}
.wanting{list-style:none;padding:0;margin:.4rem 0 1rem}
.wanting li{padding:.2rem 0;overflow-wrap:anywhere}
.steps tbody th[scope=row]{width:30%}
.steps td:nth-of-type(4){width:24%}
.steps td:last-child{min-width:10.5rem}
code,.code{font-family:ui-monospace,"SFMono-Regular",Menlo,Consolas,"Liberation Mono",monospace;\
font-size:.86em;overflow-wrap:anywhere}
pre{background:var(--band);padding:.7rem .9rem;overflow-x:auto;border-left:3px solid var(--line)}
.outcome{white-space:nowrap;font-weight:600;display:inline-flex;gap:.4rem;align-items:center;\
vertical-align:middle}
.scroll{overflow-x:auto;border:1px solid var(--line);padding:4px 8px}
figure{margin:.6rem 0 1.2rem}
svg.timeline{display:block;width:100%;min-width:760px;height:auto;font-size:12px}
svg.timeline text{fill:var(--ink)}
svg.timeline .quiet,svg.timeline .hour{fill:var(--quiet)}
svg.timeline .day,svg.timeline .clock{font-weight:600}
svg.timeline .number{font-variant-numeric:tabular-nums}
svg.timeline .bar{fill:var(--bar);stroke:var(--accent)}
svg.timeline .rough{stroke-dasharray:5 3}
svg.timeline .inside{fill:var(--bar-ink)}
svg.timeline .grid{stroke:var(--line);stroke-dasharray:2 4}
svg.timeline .lane{stroke:var(--line)}
svg.timeline .axis{stroke:var(--quiet)}
svg.timeline .leader{stroke:var(--quiet)}
.mark .outline{fill:var(--paper);stroke:currentColor;stroke-width:1.6}
.mark .sign{fill:none;stroke:currentColor;stroke-width:2;stroke-linecap:round;\
stroke-linejoin:round}
.passed{color:var(--passed)}.failed{color:var(--failed)}.unknown{color:var(--unknown)}
.skipped,.not-done{color:var(--skipped)}.refused,.abandoned{color:var(--refused)}
.mark.passed .outline,.mark.failed .outline{fill:currentColor}
.mark.passed .sign,.mark.failed .sign{stroke:var(--paper)}
.mark.skipped .outline,.mark.not-done .outline{stroke-dasharray:3 2}
.legend{display:flex;flex-wrap:wrap;gap:.3rem 1.2rem;margin:.5rem 0 0;padding:0;list-style:none}
@media screen and (max-width:720px){
main{padding:20px 16px 48px}
dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.5rem}
table,tbody,tr,th,td,caption{display:block;width:auto}
thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
tbody tr{border-bottom:1px solid var(--quiet);padding:.5rem 0}
tbody tr.group{border:0;padding:0}
th,td,.file,.when{border:0;padding:.1rem 0;white-space:normal}
.steps tbody th[scope=row],.steps td:nth-of-type(4){width:auto}
td[data-label]::before,th[data-label]::before{content:attr(data-label);display:block;\
font-size:.78rem;font-weight:400;color:var(--quiet)}
td:empty{display:none}
.number{text-align:left}
}
@media print{
:root{"""
    + _LIGHT
    + """}
@page{size:A4;margin:16mm 14mm}
body{font-size:10pt}
main{max-width:none;padding:0}
h2,h3,caption,thead,tr.group{break-after:avoid}
tr,figure,.verdict,pre{break-inside:avoid}
thead{display:table-header-group}
.steps td:last-child{min-width:0}
.scroll{overflow:visible;border:0;padding:0}
svg.timeline{min-width:0}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
}
"""
)
