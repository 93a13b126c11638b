"""The account as one HTML file that needs nothing else: no script, no font, no picture from anywhere."""

from collections.abc import Iterable, Sequence
from html import escape

from crossfade.telling.account import ReleaseAccount
from crossfade.telling.paper import chart
from crossfade.telling.paper.contents import STRETCHES, clock, facts, stretches, summary, title, unsaid
from crossfade.telling.text import plain, release

STYLE = """
:root { color-scheme: light dark; --ground: #fff; --ink: #1b2029; --quiet: #59616f; --edge: #d6dae1; --old: #3568d4; --new: #147a52; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ground: #12151b; --ink: #e8ebf0; --quiet: #a2acbb; --edge: #343c49; --old: #7da5ff; --new: #4fca97; --bad: #ff8a80; } }
body { font: 16px/1.5 system-ui, sans-serif; background: var(--ground); color: var(--ink); max-width: 52rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
.lead { font-size: 1.1rem; font-weight: 600; border-left: 4px solid var(--new); padding-left: .8rem; } .lead.bad { border-color: var(--bad); }
.quiet, figcaption { color: var(--quiet); font-size: .92rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.2rem; } dt { color: var(--quiet); } dd { margin: 0; }
table { border-collapse: collapse; width: 100%; font-size: .86rem; font-variant-numeric: tabular-nums; } .wide { overflow-x: auto; }
th, td { text-align: left; padding: .25rem .7rem .25rem 0; border-top: 1px solid var(--edge); white-space: nowrap; } thead th { border: 0; color: var(--quiet); }
figure { margin: 1rem 0; } svg { width: 100%; height: auto; } svg text { font-size: 11px; fill: var(--quiet); } .side { text-anchor: end; }
.span { fill: var(--old); opacity: .13; } .grid { stroke: var(--edge); } polyline { fill: none; stroke-width: 2.2; stroke-linejoin: round; } polyline.old { stroke: var(--old); stroke-dasharray: 6 3; } polyline.new { stroke: var(--new); }
.old { color: var(--old); } .new { color: var(--new); }
ol { list-style: none; padding: 0; font-size: .92rem; } time { color: var(--quiet); font-variant-numeric: tabular-nums; margin-right: .8rem; }
@media print { body { max-width: none; } }
"""  # noqa: E501  a style sheet
POLICY = "default-src 'none'; style-src 'unsafe-inline'"  # wherever it is opened, nothing in it runs or asks


def html(account: ReleaseAccount) -> str:
    """One page. What apps and people wrote is text in it, and nothing else."""
    name = text(title(account))
    lead, *rest = summary(account)
    bad = " bad" if account.result and account.result["rollout"]["state"] != "succeeded" else ""
    parts = [
        f"<h1>{name}</h1>",
        f'<p class="lead{bad}">{text(lead)}</p>',
        *(f"<p>{text(line)}</p>" for line in rest),
        "<dl>" + "".join(f"<dt>{text(key)}</dt><dd>{text(value)}</dd>" for key, value in facts(account)) + "</dl>",
    ]
    if account.traffic:
        parts += ["<h2>What its clients got</h2>", _legend(account), *_charts(account)]
    if rows := stretches(account):
        parts.append(table(STRETCHES, rows))
    parts += [f'<p class="quiet">{text(line)}</p>' for line in unsaid(account)]
    story = "".join(f"<li><time>{clock(at)}</time>{text(line)}</li>" for at, line in account.story)
    parts += ["<h2>What happened</h2>", f"<ol>{story}</ol>"]
    return page(title(account), parts)


def page(name: str, parts: Iterable[str]) -> str:
    """A whole file of these parts, which are HTML already."""
    body = "\n".join(parts)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f"<title>{text(name)}</title><style>{STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
    )


def text(value: str) -> str:
    return escape(plain(value))


def _legend(account: ReleaseAccount) -> str:
    each = [
        f'<span class="{kind}">{line} {text(release(number, account.versions.get(number)))}</span>'
        for (number, kind), line in zip(
            chart.kinds(account), ("- - -", "\u2014")[-len(account.releases) :], strict=True
        )
    ]
    return f"<p>{' &nbsp; '.join(each)}</p>"


def _charts(account: ReleaseAccount) -> list[str]:
    drawn = [chart.shares(account)]
    if any(counted.requests for one in account.stretches for counted in one.counted.values()):
        drawn += [chart.requests(account), chart.failures(account), chart.latency(account)]
    return drawn


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    top = "".join(f'<th scope="col">{text(name)}</th>' for name in head)
    cells = "".join("<tr>" + "".join(f"<td>{text(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>{cells}</tbody></table></div>'
