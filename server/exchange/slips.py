"""Decides what is printed for a trainee: the class's QR, the name and the one-time code."""

import io
from dataclasses import dataclass, field
from typing import Final

import segno

ENTER: Final = "/learn.html#/enter/"


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


def qr_svg(url: str) -> str:
    """A QR of a URL as an SVG document, level M: a crease or a stain does not matter."""
    picture = io.BytesIO()
    segno.make(url, error="m", micro=False).save(picture, kind="svg", scale=4, border=2, light="#fff", xmldecl=False)
    return picture.getvalue().decode().strip()
