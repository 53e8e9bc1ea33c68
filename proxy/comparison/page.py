"""The report as one page of HTML, without scripts and without anything from elsewhere: for a change board."""

from collections.abc import Iterator
from html import escape
from typing import Any

from proxy.comparison.report import show_entities, split_at, summary

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:68rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b;background:#fff}
h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2rem}h3{font-size:1rem;margin:1.5rem 0 .25rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #ccc}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}code{overflow-wrap:anywhere}
.verdict{padding:.75rem 1rem;border-left:.4rem solid;font-weight:600}.same{border-color:#107c10;background:#eef7ee}
.not-same{border-color:#a4262c;background:#fbeeee}mark{background:#ffd9b3;outline:1px solid #a4262c}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}dt{font-weight:600}dd{margin:0}
section{break-inside:avoid}
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def as_page(report: dict[str, Any]) -> str:
    """The whole page."""
    return "".join(_parts(report))


def _parts(report: dict[str, Any]) -> Iterator[str]:
    yield (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="referrer" content="no-referrer">'
        f"<title>Comparison of two endpoints</title><style>{_STYLE}</style></head><body>"
        "<h1>Comparison of two endpoints</h1>"
    )
    words = "Nothing differs." if report["same"] else "The two sides are not shown to be the same."
    yield f'<p class="verdict {"same" if report["same"] else "not-same"}">{words} {escape(summary(report))}.</p><dl>'
    for name, value in (("Left", report["left"]), ("Right", report["right"]), ("Asked at", report["startedAt"])):
        yield f"<dt>{name}</dt><dd><code>{escape(value)}</code></dd>"
    yield "</dl><p>Both sides got the same requests, which only read. Trace ids, hosts, signed links and offsets of "
    yield "dates are not compared.</p><h2>What was compared</h2><table><thead><tr><th>About</th>"
    yield from (f'<th class="n">{each}</th>' for each in ("Entities", "Same", "Different", "Not comparable"))
    yield "</tr></thead><tbody>"
    for about in report["about"]:
        cells = (show_entities(about["entities"]), *about["counts"].values())
        yield f"<tr><td>{escape(about['name'])}</td>"
        yield from (f'<td class="n">{escape(str(each))}</td>' for each in cells)
        yield "</tr>"
    yield "</tbody></table>"
    yield from (f"<p>Note: {escape(each)}.</p>" for each in report["notes"])
    if report["questions"]:
        yield "<h2>What is not the same</h2>"
    for finding in report["questions"]:
        yield from _finding(finding)
    yield "</body></html>\n"


def _finding(finding: dict[str, Any]) -> Iterator[str]:
    yield f"<section><h3>{escape(finding['about'])}: {escape(finding['question'])}</h3>"
    yield f"<p>{escape(finding['verdict'])}{escape(': ' + finding['reason']) if finding['reason'] else ''}</p>"
    if "request" in finding:
        yield f"<p><code>{escape(finding['request'])}</code></p>"
    if finding["members"]:
        yield "<table><tbody>"
        for member in finding["members"]:
            yield f"<tr><td><code>{escape(member['path'])}</code></td><td>{escape(member['problem'])}"
            yield from _values(member)
            yield "</td></tr>"
        yield "</tbody></table>"
    if finding["differences"] > len(finding["members"]):
        yield f"<p>{finding['differences']} members in all.</p>"
    yield "</section>"


def _values(member: dict[str, Any]) -> Iterator[str]:
    for side in ("left", "right"):
        if side in member:
            before, here, after = (escape(each) for each in split_at(member[side], member["at"]))
            yield f"<br>{side}: <code>{before}<mark>{here or '&nbsp;'}</mark>{after}</code>"
