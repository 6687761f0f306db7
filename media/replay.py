"""Decides what a recording is when it is played: its files as far as they are whole, and the HLS playlist of them.

Nothing is encoded here and nothing copied: a segment is a stretch of a file, from a keyframe to before another (RFC
8216; EXT-X-MAP and EXT-X-DISCONTINUITY at each file). `#codecs`, to other players a comment, tells ours what is in a
file. What a line of the index says and no file holds is not there. Pictures that were encoded afterwards
(afterwards.py) take the place of the voice alone.
"""

import json
import math
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from threading import Lock
from typing import Any

from media import encoded
from media.aside import SIGN, main_of
from media.clock import iso
from media.dubbed import dubbed, dubbed_codecs, dubbed_init
from media.recorder import ROOM_NAME
from media.takes import ENCODED, Hole, Replay, Span, Take, with_encoded
from media.tape import INDEX, STOPPED, folder_of, suffix_of, take_name

#: a segment is so long at least, if a keyframe allows it, and ends without one when it is that long
SEGMENT_SECONDS = 4.0
MOST_SECONDS = 20.0
MOST_BYTES = 16 << 20
#: indexes that are kept as read: one of 90 minutes takes a quarter of a second, and players ask again and again
MOST_INDEXES = 8


@dataclass(frozen=True, slots=True)
class Unencoded:
    """Pictures of a room that no replay has yet. `percent` of all that had to be encoded are; `why`: what is wrong."""

    percent: int
    why: str | None


class Recordings:
    """The recordings below a folder. Calls wait for the disk. Nothing is ever written here."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._indexes: OrderedDict[Path, tuple[tuple[int, ...], Replay]] = OrderedDict()
        self._lock = Lock()

    def read(self, room: str, rendition: str = "picture") -> Replay:
        """What there is of a room now, `picture` or `screen`; empty when nothing is."""
        found, folder = self.recorded(room, rendition), self._folder_of(room, rendition)
        if folder is None:
            return found
        return Replay(with_encoded(found.takes, encoded.read_encoded(folder)), found.holes)

    def asides(self, room: str) -> list[int]:
        """The numbers of the rooms aside of this one of which something was recorded that `read` may find."""
        found = (path.name for path in self._folder.glob(f"{room}{SIGN}*")) if ROOM_NAME.fullmatch(room) else ()
        return sorted(int(each[len(room) + 1 :]) for each in found if main_of(each) == room and self._has(each))

    def _has(self, room: str) -> bool:
        folder = self._folder_of(room, "picture")
        return folder is not None and bool(_stamp(folder) or encoded.read_encoded(folder))

    def unencoded(self, room: str) -> Unencoded | None:
        """What has still to be encoded of a room; None when nothing has."""
        all_of, done, why = 0.0, 0.0, ""
        for rendition in ("picture", "screen"):
            folder, waiting = self._folder_of(room, rendition), self.recorded(room, f"{rendition}_vp8").takes
            if folder is None:
                return None
            finished = encoded.read_encoded(folder)
            there = {each.take.number - ENCODED for each in finished}
            seconds = sum(each.take.seconds for each in finished)
            all_of, done = all_of + seconds, done + seconds
            for take in waiting:
                if take.number not in there:
                    all_of += take.seconds
                    done += take.seconds * _share(encoded.said(folder, take.number, encoded.PROGRESS))
                    why = why or encoded.said(folder, take.number, encoded.TROUBLE)
        return None if done >= all_of else Unencoded(int(done / all_of * 100), why or None)

    def recorded(self, room: str, rendition: str) -> Replay:
        """What was recorded of a rendition and is still there, without what was encoded afterwards."""
        found, folder = self.listed(room, rendition), self._folder_of(room, rendition)
        for take in found.takes:
            length = _length(folder, take_name(take.number, suffix_of(rendition)))
            take.parts = [part for part in take.parts if part.start + part.size <= length]
        takes = [take for take in found.takes if take.parts]
        return Replay(takes, sorted([*found.holes, *stops(takes)], key=lambda hole: hole.begins))

    def listed(self, room: str, rendition: str) -> Replay:
        """What the index of a rendition says, whether it is still there or not."""
        folder = self._folder_of(room, rendition)
        stamp = _stamp(folder)
        if folder is None or not stamp:
            return Replay([], [])
        with self._lock:
            kept = self._indexes.get(folder)
        found = kept[1] if kept is not None and kept[0] == stamp else _listed(folder)
        with self._lock:
            self._indexes[folder] = stamp, found
            self._indexes.move_to_end(folder)
            if len(self._indexes) > MOST_INDEXES:
                self._indexes.popitem(last=False)
        return Replay([replace(take) for take in found.takes], list(found.holes))

    def piece(self, room: str, take: int, start: int, size: int, rendition: str = "picture") -> bytes:
        """A stretch of a file; empty when it is not there whole."""
        folder = self._folder_of(room, rendition)
        if folder is None or not 0 < size <= MOST_BYTES or start < 0:
            return b""
        try:
            with (folder / _file_name(take, suffix_of(rendition))).open("rb") as file:
                file.seek(start)
                data = file.read(size)
        except OSError:
            return b""
        return data if len(data) == size else b""

    def dubbed(self, room: str, take: int, start: int, size: int) -> bytes:
        """A stretch of a file with AAC for Opus, or its init segment at 0; empty when it is not there whole."""
        data = self.piece(room, take, start, size)
        if not data or start == 0:
            return dubbed_init(data) if data else b""
        spans = [part for each in self.read(room).takes if each.number == take for part in each.parts]
        ends = {part.start + part.size for part in spans}
        if start + size not in ends or all(part.start != start for part in spans):
            return b""
        if sum(part.seconds for part in spans if start <= part.start < start + size) > MOST_SECONDS:
            return b""  # no playlist names so much, and one thread does it for all
        before = next((part for part in spans if part.start + part.size == start), None)
        behind = next((part for part in spans if part.start == start + size), None)
        beside = (b"" if each is None else self.piece(room, take, each.start, each.size) for each in (before, behind))
        return dubbed(next(beside), data, next(beside))

    def _folder_of(self, room: str, rendition: str) -> Path | None:
        return folder_of(self._folder / room, rendition) if ROOM_NAME.fullmatch(room) else None


def _listed(folder: Path) -> Replay:
    """What an index says."""
    takes: list[Take] = []
    holes: list[Hole] = []
    for line in _lines(folder):
        match line:
            case {"take": int(number), "codecs": str(codecs), "width": int(w), "height": int(h), "init": int(init)}:
                takes.append(Take(number, codecs, w, h, init, again=line.get("again") is True))
            case {"hole": str(why), "from": float() | int() as begins, "to": float() | int() as ends}:
                holes.append(Hole(begins, ends, why))
            case {"at": float(at), "s": float(s), "key": bool(key), "start": int(start), "size": int(size)} if takes:
                takes[-1].parts.append(Span(at, s, key, start, size))
    return Replay(takes, holes)


def _stamp(folder: Path | None) -> tuple[int, ...]:
    """What changes with an index; empty when there is none."""
    try:
        found = (folder / INDEX).stat() if folder is not None else None
    except OSError:
        return ()
    return () if found is None else (found.st_ino, found.st_size, found.st_mtime_ns)


def _lines(folder: Path) -> Iterator[Any]:
    try:
        lines = (folder / INDEX).read_bytes().split(b"\n")
    except OSError:
        return
    for line in lines:
        try:
            yield json.loads(line)
        except ValueError:  # torn
            continue


def _share(said: str) -> float:
    try:
        return min(max(float(said), 0.0), 0.99)
    except ValueError:
        return 0.0


def _file_name(take: int, suffix: str) -> str:
    return f"{encoded.FOLDER}/{take_name(take - ENCODED)}" if take > ENCODED else take_name(take, suffix)


def _length(folder: Path | None, name: str) -> int:
    try:
        return (folder / name).stat().st_size if folder is not None else 0
    except OSError:
        return 0


def stops(takes: list[Take]) -> Iterator[Hole]:
    """What is missing because the process that recorded was stopped, or died."""
    for before, after in pairwise(takes):
        last, ends = before.parts[-1], after.parts[0].at
        if after.again and ends > last.at + last.seconds:  # the last picture before an orderly end counts a second
            yield Hole(last.at + last.seconds, ends, STOPPED)


def segments(take: Take) -> list[Span]:
    """Its parts joined into what one request fetches."""
    found: list[Span] = []
    for part in take.parts:
        last = found[-1] if found else None
        if last is None or _ends(last, part):
            found.append(part)
        else:
            found[-1] = Span(last.at, last.seconds + part.seconds, last.key, last.start, last.size + part.size)
    return found


def _ends(last: Span, part: Span) -> bool:
    long = last.seconds >= SEGMENT_SECONDS and part.key
    return long or last.seconds + part.seconds > MOST_SECONDS or last.size + part.size > MOST_BYTES


def playlist(replay: Replay, base: str, end: str, *, over: bool, aac: bool = False) -> str:
    """A media playlist; addresses are `base` + take/start/size + `end`. `over`: nothing will be added any more.

    `aac`: what they name is `dubbed`.
    """
    shown = [(take, segments(take)) for take in replay.takes]
    longest = max((each.seconds for _, found in shown for each in found), default=SEGMENT_SECONDS)
    kind = "VOD" if over else "EVENT"
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        f"#EXT-X-TARGETDURATION:{math.ceil(longest)}",
        f"#EXT-X-PLAYLIST-TYPE:{kind}",
    ]
    for number, (take, found) in enumerate(shown):
        lines += ["#EXT-X-DISCONTINUITY"] if number else []
        lines.append(f"#codecs {dubbed_codecs(take.codecs) if aac else take.codecs}")
        lines.append(f'#EXT-X-MAP:URI="{base}{take.number}/0/{take.init}{end}"')
        lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{iso(found[0].at)}")
        for each in found:
            lines += [f"#EXTINF:{each.seconds:.3f},", f"{base}{take.number}/{each.start}/{each.size}{end}"]
    return "\n".join([*lines, *(["#EXT-X-ENDLIST"] if over else []), ""])
