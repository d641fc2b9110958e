"""The reference card as a PDF to print: the same bytes at every call, vectors only, nothing that a viewer would have to scale."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from moodify.skin.card import HEIGHT_MM, MARKER_MM, MARKER_MODULES, PATCH_MM, PATCHES, VERSION, WIDTH_MM, marker_corners_mm, marker_ids

_POINTS: Final = 72 / 25.4
"""In a millimetre; ISO 32000-1, 8.3.2.3."""
_PAGE_MM: Final = (210.0, 297.0)
_CARD_AT_MM: Final = ((_PAGE_MM[0] - WIDTH_MM) / 2, 40.0)
"""From the page's top left corner."""
_RULE_MM: Final = 100.0
_TEXT: Final = (
    "Print on matte white paper, A4, at 100 % (no 'fit to page'), in colour, without effects.",
    f"The line below must be {_RULE_MM:g} mm long; if it is not, print again with other settings.",
    "Cut along the thin frame. Hold the card beside your chin, flat towards the camera, in the same light as your face.",
    "Keep it dark and dry; make a new one with another number when it fades, is creased or after a year.",
    "Colours are compared between looks with the same card only: printers and papers differ.",
)


def card_pdf(print_number: int) -> bytes:
    """Return the card with the markers of a print, as PDF 1.4.

    Raises:
        ValueError: there is no such print.
    """
    name = f"Moodify reference card {VERSION}, print {print_number}"
    content = "\n".join([*_card(print_number), *_words(name)]).encode("ascii")
    width, height = (side * _POINTS for side in _PAGE_MM)
    return _file(
        [
            b"<< /Type /Catalog /Pages 2 0 R /ViewerPreferences << /PrintScaling /None >> >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {width:.3f} {height:.3f}] /Resources << /Font << /F1 5 0 R >> >> /Contents 4 0 R >>".encode(),
            b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content),
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
            f"<< /Title ({name}) >>".encode(),
        ]
    )


def _card(print_number: int) -> list[str]:
    """Return what draws frame, markers and patches."""
    drawn = ["0.6 G 0.2 w", f"{_place(0, 0, WIDTH_MM, HEIGHT_MM)} re S"]
    dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)
    module = MARKER_MM / MARKER_MODULES
    for number, corners in zip(marker_ids(print_number), marker_corners_mm(), strict=True):
        left, top = (float(at) for at in corners[0])
        drawn += ["0 0 0 rg", f"{_place(left, top, MARKER_MM, MARKER_MM)} re f", "1 1 1 rg"]
        white = np.argwhere(cv2.aruco.generateImageMarker(dictionary, number, MARKER_MODULES))
        drawn += [f"{_place(left + module * int(column), top + module * int(row), module, module)} re f" for row, column in white]
    for patch in PATCHES:
        drawn += ["{:.4f} {:.4f} {:.4f} rg".format(*(value / 255 for value in patch.srgb)), f"{_place(patch.x_mm, patch.y_mm, PATCH_MM, PATCH_MM)} re f"]
    return drawn


def _words(name: str) -> list[str]:
    """Return what draws heading, advice, and the line whose length is to be checked."""
    lines = [(name, 25.0), *((text, 160.0 + 7 * row) for row, text in enumerate(_TEXT))]
    shown = [f"BT /F1 9 Tf {20 * _POINTS:.3f} {(_PAGE_MM[1] - y_mm) * _POINTS:.3f} Td ({_escaped(text)}) Tj ET" for text, y_mm in lines]
    y, x = (_PAGE_MM[1] - 200) * _POINTS, 55 * _POINTS
    return ["0 0 0 rg", *shown, "0 G 0.5 w", f"{x:.3f} {y:.3f} m {x + _RULE_MM * _POINTS:.3f} {y:.3f} l S"]


def _escaped(text: str) -> str:
    """Return text as it stands in a PDF's string."""
    return text.replace("(", r"\(").replace(")", r"\)")


def _place(x_mm: float, y_mm: float, width_mm: float, height_mm: float) -> str:
    """Return a rectangle of the card in the page's points, which count from the bottom left."""
    left, top = _CARD_AT_MM
    return f"{(left + x_mm) * _POINTS:.3f} {(_PAGE_MM[1] - top - y_mm - height_mm) * _POINTS:.3f} {width_mm * _POINTS:.3f} {height_mm * _POINTS:.3f}"


def _file(objects: list[bytes]) -> bytes:
    """Return a PDF file of objects that count from 1, the first being its catalogue, the last its information."""
    written = bytearray(b"%PDF-1.4\n")
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(len(written))
        written += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    start, count = len(written), len(objects) + 1
    written += b"xref\n0 %d\n0000000000 65535 f \n%btrailer\n<< /Size %d /Root 1 0 R /Info %d 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (count, table, count, len(objects), start)
    return bytes(written)
