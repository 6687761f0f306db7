"""Decides how pages of a document become pictures: WebP in two widths, one page after the other, and its text.

A program of its own at the lowest priority and with limits, because a document may be made to hurt: it dies alone. What
it has made is there after its death, and who begins again goes on behind it:

    python -m server.core.files.pages SOURCE KIND FOLDER PARENT

FOLDER gets `sizes.json` (of each page, in tenths of a point), then of each page `N.960.webp`, `N.1920.webp` and, last,
`N.txt`: what can be read on it, for whoever hears pages.
"""

import fcntl
import json
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import pypdfium2
from av.video.frame import VideoFrame

from server.core.files.kinds import FileKind
from server.core.files.lowered import lower
from server.core.files.rules import BUSY, DAMAGED, DONE, FULL, LOCKED, MOST_PAGES, SIZES, TOO_LONG, WIDTHS

#: a page longer than wide is made smaller
MOST_PIXELS: Final = 6_000_000
#: WebP takes twice as many
MOST_SIDE: Final = 8_192
#: of a picture that comes as a page
MOST_SOURCE_PIXELS: Final = 60_000_000
MOST_LETTERS: Final = 5_000
#: of the processor: on a busy machine that may take minutes
PAGE_SECONDS: Final = 20
CPU_SECONDS: Final = 1_200
MEMORY_BYTES: Final = 3 << 29
FILE_BYTES: Final = 32 << 20
QUALITY: Final = "82"
LOCK: Final = "lock"


class _Refused(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class _Document:
    """A PDF's pages."""

    def __init__(self, source: Path) -> None:
        try:
            self._pdf = pypdfium2.PdfDocument(source)
        except pypdfium2.PdfiumError as error:
            raise _Refused(LOCKED if "password" in str(error).lower() else DAMAGED) from error
        if len(self._pdf) > MOST_PAGES:
            raise _Refused(TOO_LONG)
        self.sizes = [self._pdf.get_page_size(number) for number in range(len(self._pdf))]

    def draw(self, number: int) -> tuple[VideoFrame, str]:
        """A page at the largest width, and its text."""
        page = self._pdf[number]
        width, height = self.sizes[number]
        largest = WIDTHS[-1] / max(width, 1.0)
        scale = min(largest, MOST_SIDE / max(height, 1.0), (MOST_PIXELS / max(width * height, 1.0)) ** 0.5)
        drawn = page.render(scale=scale, prefer_bgrx=True, may_draw_forms=False)
        said = page.get_textpage().get_text_bounded()[:MOST_LETTERS]
        return _frame(drawn), said.replace("\r\n", "\n")


class _Picture:
    """A picture as the only page."""

    def __init__(self, source: Path) -> None:
        self._source = source
        with av.open(str(source)) as file:
            shape = file.streams.video[0].codec_context
            self.sizes = [(float(shape.width), float(shape.height))]
        if not 0 < shape.width * shape.height <= MOST_SOURCE_PIXELS:
            raise _Refused(DAMAGED)

    def draw(self, number: int) -> tuple[VideoFrame, str]:
        """It, no wider than needed."""
        del number
        with av.open(str(self._source)) as file:
            frame = next(file.decode(video=0))
        most = (MOST_PIXELS / (frame.width * frame.height)) ** 0.5
        factor = min(1.0, WIDTHS[-1] / frame.width, MOST_SIDE / frame.height, most)
        return _sized(frame, factor), ""


def make(source: Path, kind: FileKind, folder: Path, parent: int) -> int:
    """Everything that is not there yet; an exit code. Ends between two pages when whoever began it is gone."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / LOCK).open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return BUSY
        try:
            document = _Document(source) if kind is FileKind.PDF else _Picture(source)
            if not document.sizes or min(min(size) for size in document.sizes) < 1:
                raise _Refused(DAMAGED)
            tenths = [[round(width * 10), round(height * 10)] for width, height in document.sizes]
            _write(folder / SIZES, json.dumps(tenths).encode())
            for number in _missing(folder, len(document.sizes)):
                if os.getppid() != parent:
                    return BUSY
                _page(document, folder, number)
        except _Refused as error:
            return error.code
        except OSError as error:
            sys.stderr.write(f"{error!r}\n")
            return FULL if not isinstance(error, av.FFmpegError) else DAMAGED
        except (pypdfium2.PdfiumError, av.FFmpegError, MemoryError, ValueError, StopIteration) as error:
            sys.stderr.write(f"{error!r}\n")
            return DAMAGED
    return DONE


def _missing(folder: Path, pages: int) -> Iterator[int]:
    return (number for number in range(1, pages + 1) if not (folder / f"{number}.txt").exists())


def _page(document: Any, folder: Path, number: int) -> None:
    signal.setitimer(signal.ITIMER_PROF, PAGE_SECONDS)
    frame, said = document.draw(number - 1)
    for width in WIDTHS:
        _write(folder / f"{number}.{width}.webp", _webp(_sized(frame, min(1.0, width / frame.width))))
    _write(folder / f"{number}.txt", said.encode(errors="replace"))
    signal.setitimer(signal.ITIMER_PROF, 0)


def _frame(drawn: Any) -> VideoFrame:
    """What pdfium has drawn, row by row: both may pad their rows."""
    frame = VideoFrame(drawn.width, drawn.height, "bgr0")
    plane, rows, row = frame.planes[0], memoryview(drawn.buffer).cast("B"), drawn.width * 4
    padded = bytearray(plane.buffer_size)
    for at in range(drawn.height):
        start = at * drawn.stride
        padded[at * plane.line_size : at * plane.line_size + row] = rows[start : start + row]
    plane.update(bytes(padded))
    return frame


def _sized(frame: VideoFrame, factor: float) -> VideoFrame:
    width, height = max(1, round(frame.width * factor)), max(1, round(frame.height * factor))
    return frame.reformat(width=width, height=height, format="yuv420p", interpolation="AREA")


def _webp(frame: VideoFrame) -> bytes:
    codec: Any = av.CodecContext.create("libwebp", "w")
    codec.width, codec.height, codec.pix_fmt, codec.time_base = frame.width, frame.height, "yuv420p", Fraction(1)
    codec.options = {"quality": QUALITY}
    return b"".join(bytes(packet) for packet in [*codec.encode(frame), *codec.encode(None)])


def _write(path: Path, content: bytes) -> None:
    half = path.with_name(f".{path.name}")
    half.write_bytes(content)
    half.replace(path)


def _limit() -> None:
    lower(MEMORY_BYTES, CPU_SECONDS, FILE_BYTES)


def main(said: Sequence[str]) -> int:
    source, kind, folder, parent = said
    _limit()
    return make(Path(source), FileKind(kind), Path(folder), int(parent))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
