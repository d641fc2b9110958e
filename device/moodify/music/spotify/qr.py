"""The sign-in's link as a QR code, so that a phone need not type it."""

from __future__ import annotations

import io

import segno

#: Modules of quiet zone. The standard has four; scanners do with two, and 80 columns hold a link then.
TERMINAL_BORDER = 2
#: Bright white on black, whatever the terminal's own colours are.
_WHITE_ON_BLACK, _AS_BEFORE = "\x1b[97;40m", "\x1b[0m"


def lines(text: str) -> tuple[str, ...]:
    """Return a QR code as lines for a terminal: two rows of modules in a line, of half blocks."""
    drawing = io.StringIO()
    segno.make_qr(text, error="l").terminal(drawing, border=TERMINAL_BORDER, compact=True)
    return tuple(f"{_WHITE_ON_BLACK}{line}{_AS_BEFORE}" for line in drawing.getvalue().splitlines())


def size(text: str) -> tuple[int, int]:
    """Return the columns and lines that :func:`lines` takes up."""
    modules, _ = segno.make_qr(text, error="l").symbol_size(border=TERMINAL_BORDER)
    return int(modules), (int(modules) + 1) // 2


def picture(text: str) -> str:
    """Return a QR code as an SVG file, black on white, with the quiet zone of the standard."""
    drawing = io.BytesIO()
    segno.make_qr(text, error="l").save(drawing, kind="svg", dark="#000", light="#fff", border=4, scale=4, xmldecl=False)
    return drawing.getvalue().decode()


def svg(text: str) -> str:
    """Return a QR code as an ``<svg>`` element for a page, black on white, scaled by the page."""
    return str(segno.make_qr(text, error="l").svg_inline(dark="#000", light="#fff", omitsize=True))
