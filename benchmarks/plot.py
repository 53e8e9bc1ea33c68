"""A plot of figures beside their goals, as an SVG that shows on light and on dark pages."""

from collections.abc import Sequence
from xml.sax.saxutils import escape

ROW, LEFT, WIDTH = 26, 330, 420
KEPT, SHORT = "#2f9e6e", "#d1703c"
_TEXT = 'font-family="sans-serif" font-size="12" fill="#888"'


def plot(rows: Sequence[tuple[str, float, float, str, bool]]) -> str:
    """Bars of what was measured, each against its own goal: the line in the middle.

    A row: what, value, goal, unit,
    whether the goal was kept.
    """
    height = ROW * len(rows) + 40
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 130}" height="{height}" {_TEXT}>',
        "<title>Each figure beside its goal</title>",
    ]
    middle = LEFT + WIDTH / 2
    for number, (what, value, goal, unit, kept) in enumerate(rows):
        top = 24 + number * ROW
        colour = KEPT if kept else SHORT
        length = min(2.0, max(0.0, value / goal)) * WIDTH / 2
        lines += [
            f'<text x="{LEFT - 8}" y="{top + 14}" text-anchor="end">{escape(what)}</text>',
            f'<rect x="{LEFT}" y="{top + 3}" width="{length:.0f}" height="{ROW - 10}" fill="{colour}" rx="2"/>',
            f'<text x="{LEFT + WIDTH + 6}" y="{top + 14}">{value:,.2f} {escape(unit)}</text>',
        ]
    lines += [
        f'<path d="M{middle} 18V{height - 14}" stroke="#888" stroke-dasharray="3 3"/>',
        f'<text x="{middle}" y="14" text-anchor="middle">the goal</text>',
        "</svg>",
    ]
    return "\n".join(lines) + "\n"
