"""A chart of where money goes: sorted bars in SVG, readable without colours and to a screen reader."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape
from textwrap import wrap

_WIDTH = 860
_MARGIN = 28
_ROW = 30
_BAR = 18
_TOP = 108  # title, subtitle and legend
_LONGEST_LABEL = 44
_LONGEST_NOTE = 115
_LETTER = 7.1  # average width of a letter at 13 px in the fonts named below, wide ones included
_VALUES = 128  # what "12,345.67  100 %" needs to the right of the longest bar
_FIXED, _USAGE, _INK, _QUIET, _GRID = "#1f5f8b", "#7fb2d6", "#1b2733", "#556371", "#dfe5ea"
_FONT = "font-family=\"ui-sans-serif, 'Segoe UI', 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif\" font-size=\"13\""
_HATCHED = (
    '<defs><pattern id="usage" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    f'<rect width="7" height="7" fill="{_USAGE}"/><rect width="2.5" height="7" fill="{_FIXED}"/></pattern></defs>'
)
# https://www.w3.org/TR/xml/#charsets
_UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NEGLIGIBLE = Decimal("0.005")


@dataclass(frozen=True, slots=True)
class Bar:
    """What something costs a month: what is sure, and what depends on use."""

    label: str
    fixed: Decimal
    usage: Decimal

    @property
    def whole(self) -> Decimal:
        return self.fixed + self.usage


def chart(title: str, subtitle: str, bars: Sequence[Bar], rest: Bar | None = None, notes: Sequence[str] = ()) -> str:
    """The picture as SVG text: the largest first, `rest` last however large it is, `notes` below. Bars that are nothing
    are left out.
    """
    shown = sorted((bar for bar in bars if bar.whole >= _NEGLIGIBLE), key=lambda bar: (-bar.whole, bar.label))
    shown += [rest] if rest is not None else []
    notes = [line for note in notes for line in wrap(note, _LONGEST_NOTE)]
    height = _TOP + _ROW * len(shown) + (18 * len(notes) + 6 if notes else 0) + _MARGIN // 2
    size = f'viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title desc" {_FONT}>',
            f'<title id="title">{_safe(title)}</title>',
            f'<desc id="desc">{_safe(_described(subtitle, shown, notes))}</desc>',
            _HATCHED,
            f'<rect width="{_WIDTH}" height="{height}" rx="6" fill="#ffffff"/>',
            _text(_MARGIN, 38, title, size=20, weight=600),
            _text(_MARGIN, 60, subtitle, fill=_QUIET),
            *_legend(),
            *_rows(shown),
            *_notes(notes, _TOP + _ROW * len(shown) + 24),
            "</svg>\n",
        ]
    )


def _described(subtitle: str, bars: Sequence[Bar], notes: Sequence[str]) -> str:
    """The same as the picture, for who cannot see it."""
    told = (f"{bar.label}: {bar.whole:,.2f}" + (f", {bar.usage:,.2f} by use" if bar.usage else "") for bar in bars)
    return ". ".join([subtitle, *told, *notes])


def _legend() -> Iterator[str]:
    for x, fill, what in ((_MARGIN, _FIXED, "fixed"), (_MARGIN + 80, "url(#usage)", "depends on use")):
        yield f'<rect x="{x}" y="76" width="14" height="14" fill="{fill}"/>'
        yield _text(x + 21, 88, what, fill=_QUIET)


def _rows(bars: Sequence[Bar]) -> Iterator[str]:
    if not bars:
        return
    labels = [_shortened(bar.label) for bar in bars]
    left = _MARGIN + round(max(map(len, labels)) * _LETTER) + 12
    room = Decimal(_WIDTH - _MARGIN - _VALUES - left)
    total, longest = sum(bar.whole for bar in bars), max(bar.whole for bar in bars)
    yield f'<path d="M{left - 0.5} {_TOP - 4}v{_ROW * len(bars)}" stroke="{_GRID}"/>'
    for index, (bar, label) in enumerate(zip(bars, labels, strict=True)):
        y = _TOP + _ROW * index
        fixed, usage = (room * part / longest for part in (bar.fixed, bar.usage))
        yield f"<g><title>{_safe(bar.label)}: {bar.whole:,.2f}</title>"
        yield _text(left - 10, y + 14, label, anchor="end")
        if bar.fixed:
            yield f'<rect x="{left}" y="{y}" width="{_pixels(fixed)}" height="{_BAR}" fill="{_FIXED}"/>'
        if bar.usage:
            x = _pixels(left + fixed)
            yield f'<rect x="{x}" y="{y}" width="{_pixels(usage)}" height="{_BAR}" fill="url(#usage)"/>'
        x = _pixels(left + fixed + usage + 8)
        share = f'<tspan fill="{_QUIET}" dx="8">{100 * bar.whole / total:.0f} %</tspan>'
        yield f'<text x="{x}" y="{y + 14}" fill="{_INK}">{bar.whole:,.2f}{share}</text></g>'


def _notes(notes: Sequence[str], y: int) -> Iterator[str]:
    for index, note in enumerate(notes):
        yield _text(_MARGIN, y + 18 * index, note, fill=_QUIET)


def _text(
    x: float, y: float, text: str, *, fill: str = _INK, size: int = 13, weight: int = 400, anchor: str = "start"
) -> str:
    how = "".join(
        f' {key}="{value}"'
        for key, value, usual in (
            ("font-size", size, 13),
            ("font-weight", weight, 400),
            ("text-anchor", anchor, "start"),
        )
        if value != usual
    )
    return f'<text x="{x}" y="{y}" fill="{fill}"{how}>{_safe(text)}</text>'


def _safe(text: str) -> str:
    """Text for XML, which has no way to write most control characters."""
    return escape(_UNWRITABLE.sub("\ufffd", text))


def _shortened(label: str) -> str:
    return label if len(label) <= _LONGEST_LABEL else f"{label[: _LONGEST_LABEL - 1].rstrip()}…"


def _pixels(value: Decimal) -> str:
    """A tenth of a pixel is the finest that anybody sees; a sliver stays visible."""
    return f"{max(value, Decimal(1)):.1f}"
