"""Decides what a trainee takes home: a slip with the class's QR and a one-time code, and a lesson's 学时回执."""

import io
from dataclasses import dataclass, field
from typing import Final

import segno

ENTER: Final = "/learn.html#/enter/"
SCALE: Final = 4
BORDER: Final = 2


@dataclass(frozen=True, slots=True)
class Slip:
    """One trainee's slip; the code is shown once and stored nowhere."""

    seat: int
    name: str
    login: str
    code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Slips:
    """A class's slips. `qr_svg` opens `enter_path` at our public address; `expires_at` in ISO 8601."""

    class_name: str
    class_code: str
    class_token: str
    enter_path: str
    qr_svg: str
    expires_at: str
    slips: list[Slip]


@dataclass(frozen=True, slots=True)
class Receipt:
    """A 学时回执: `note` is the text that the log signed (verify/receipts.py), `qr_svg` the same to photograph."""

    note: str
    qr_svg: str
    credit_ms: int
    minutes: int


def qr_svg(text: str) -> str:
    """A QR of a text as an SVG document of any size, level M: a crease or a stain does not matter."""
    code, picture = segno.make(text, error="m", micro=False), io.BytesIO()
    code.save(picture, kind="svg", scale=SCALE, border=BORDER, light="#fff", xmldecl=False, svgclass=None)
    wide, high = code.symbol_size(scale=SCALE, border=BORDER)
    return picture.getvalue().decode().strip().replace("<svg ", f'<svg viewBox="0 0 {wide} {high}" ', 1)
