"""Documents made by hand, as small as they can be: whole ones, and some that were made to hurt."""

import io
import zipfile
import zlib
from collections.abc import AsyncIterator, Sequence
from fractions import Fraction
from typing import Any

import av
from av.video.frame import VideoFrame


def pdf(pages: Sequence[str], width: int = 960, height: int = 540, extra: bytes = b"") -> bytes:
    """A page for each text, in large letters; `extra` is drawn on each as well."""
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"", b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    kids = []
    for said in pages:
        drawn = f"BT /F1 60 Tf 60 {height - 120} Td ({said}) Tj ET 0.8 0.2 0.2 rg 60 60 200 100 re f ".encode() + extra
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawn), drawn))
        about = f"/MediaBox [0 0 {width} {height}] /Resources << /Font << /F1 3 0 R >> >>"
        objects.append(f"<< /Type /Page /Parent 2 0 R {about} /Contents {len(objects)} 0 R >>".encode())
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>".encode()
    return assembled(objects)


def bomb(unpacked: int = 1 << 30) -> bytes:
    """A page whose drawing unpacks to this much: each byte moves, none paints."""
    packer, packed = zlib.compressobj(9), bytearray()
    for _ in range(unpacked >> 20):
        packed += packer.compress(b"0 0 m\n" * ((1 << 20) // 6))
    packed += packer.flush()
    return assembled(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [4 0 R] /Count 1 >>",
            b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(packed), bytes(packed)),
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 960 540] /Contents 3 0 R >>",
        ]
    )


def assembled(objects: Sequence[bytes]) -> bytes:
    """A PDF of these objects, the first of which is its catalogue."""
    made, places = b"%PDF-1.4\n", []
    for number, one in enumerate(objects, 1):
        places.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    start = len(made)
    made += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    made += b"".join(b"%010d 00000 n \n" % place for place in places)
    return made + b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)


def picture(codec: str = "png", width: int = 64, height: int = 36) -> bytes:
    """PNG, JPEG (`mjpeg`) or WebP (`libwebp`)."""
    form = {"png": "rgb24", "mjpeg": "yuvj420p", "libwebp": "yuv420p"}[codec]
    made: Any = av.CodecContext.create(codec, "w")
    made.width, made.height, made.pix_fmt, made.time_base = width, height, form, Fraction(1)
    frame = VideoFrame(width, height, form)
    for plane in frame.planes:
        plane.update(b"\x80" * plane.buffer_size)
    return b"".join(bytes(one) for one in [*made.encode(frame), *made.encode(None)])


def size_of(webp: bytes) -> tuple[int, int]:
    """Width and height of a picture."""
    with av.open(io.BytesIO(webp), mode="r") as file:
        frame = next(file.decode(video=0))
    return frame.width, frame.height


MAIN = {"pptx": "ppt/presentation.xml", "docx": "word/document.xml", "xlsx": "xl/workbook.xml"}


def office(kind: str, *more: str, types: bool = True) -> bytes:
    """The parts by which an office file is known, and no more."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as parts:
        for name in [*(["[Content_Types].xml"] if types else []), MAIN.get(kind, "other.xml"), *more]:
            parts.writestr(name, "<xml/>")
    return whole.getvalue()


async def in_pieces(content: bytes, size: int = 1000) -> AsyncIterator[bytes]:
    """As it comes over a line."""
    for start in range(0, len(content), size):
        yield content[start : start + size]
