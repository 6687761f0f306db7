"""Decides how evidence travels: one JSON file that holds minutes of a log with all that is needed to check them. Pure.

It names nobody: a lesson has its number, a trainee a seat. Bytes are in base64, many short ones behind each other.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, is_dataclass, replace
from functools import cache
from itertools import chain, islice
from typing import Any, Final, cast, get_args, get_origin, get_type_hints

from server.verify.formats import RECORD_BYTES, SALT_BYTES
from server.verify.notes import decode, encode
from server.verify.tree import Refused

FORMAT: Final = "keshi-evidence/v2"
#: the one before, which has no `shown`
FIRST_FORMAT: Final = "keshi-evidence/v1"
#: a class of two years is some tens of megabytes
FILE_BYTES: Final = 512 * 1024 * 1024
#: so much of each record's hash is kept beside it, to name the one that was changed; it proves nothing
HINT_BYTES: Final = 8
LENGTH_BYTES: Final = 2
#: how the columns of a group stand in a file
_COLUMNS: Final = (b'"records":"', b'","salts":"', b'","hints":"', b'","evidence":"')
#: so many texts that are like the one before them are taken in one step
_ALIKE: Final = 16


@dataclass(frozen=True, slots=True)
class LessonName:
    """A lesson: 16 hexadecimal digits, and its number in the class (第 3 课次)."""

    id: str
    number: int


@dataclass(frozen=True, slots=True)
class Seat:
    """A trainee: 16 hexadecimal digits, and the seat in the class (学员 #17)."""

    id: str
    seat: int


@dataclass(frozen=True, slots=True)
class Claim:
    """What the file that this travels with says of a trainee's lesson: credited milliseconds."""

    lesson_id: str
    person_id: str
    credit_ms: int


@dataclass(frozen=True, slots=True)
class GroupPart:
    """A group of a leaf: its place among the leaf's groups, the path to their root, and all of its records.

    `records`, `salts` and `hints` have 73, 16 and 8 bytes for each record; `evidence` is what each record's digest
    is of, behind its length in two bytes (0: it is not shown).
    """

    at: int
    group: bytes
    path: tuple[bytes, ...]
    records: bytes
    salts: bytes
    hints: bytes
    evidence: bytes


@dataclass(frozen=True, slots=True)
class LeafPart:
    """A leaf of the log, the path to the checkpoint's root, and some of its groups."""

    index: int
    leaf: bytes
    path: tuple[bytes, ...]
    groups: tuple[GroupPart, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """An earlier checkpoint with the signatures that it got at the time, and why the last one continues it."""

    note: str
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Bundle:
    """The whole file: `genesis` is the unix minute of leaf 0, `checkpoint` a signed note; `seen` are earlier ones, for
    each stretch of leaves the first that was signed after it.

    `tiles` are the hashes of each whole 256 leaves of the log and `rest` those of the leaves after them: with them
    whoever saw an earlier state of the log knows that this one continues it. `shown` are further texts that digests of
    records are of, each found by its SHA-256: what pages registered and signed (signatures.py), revealed seeds
    (schedule.py).
    """

    format: str
    genesis: int
    checkpoint: str
    lessons: tuple[LessonName, ...]
    people: tuple[Seat, ...]
    claims: tuple[Claim, ...]
    leaves: tuple[LeafPart, ...]
    seen: tuple[Seen, ...] = ()
    tiles: bytes = b""
    rest: bytes = b""
    shown: tuple[bytes, ...] = ()


def write(bundle: Bundle) -> bytes:
    """The file."""
    return json.dumps(asdict(bundle), default=encode, ensure_ascii=False, separators=(",", ":")).encode()


def read(raw: bytes) -> Bundle:
    """The bundle of a file. Raises Refused for anything that `write` would not have written."""
    if len(raw) > FILE_BYTES:
        raise Refused("the file is too large")
    rest, columns = _cut(raw)
    try:
        value = json.loads(rest.decode(), object_pairs_hook=tuple, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Refused("not a JSON file of evidence") from error
    bundle: Bundle = _made(Bundle, _with_shown(value))
    if columns:
        bundle = _put_back(bundle, columns)
    if bundle.format not in (FORMAT, FIRST_FORMAT):
        raise Refused("evidence of an unknown format")
    if not 0 <= bundle.genesis < 2**32:
        raise Refused("the log begins in no minute")
    for leaf in bundle.leaves:
        for part in leaf.groups:
            _check_group(part)
    _check_once([(one.id, one.number) for one in bundle.lessons], "a lesson")
    _check_once([(one.id, one.seat) for one in bundle.people], "a trainee")
    return bundle


def _cut(raw: bytes) -> tuple[bytes, list[memoryview]]:
    """A file without the columns of its groups, which are nearly all of it, and these columns; the whole file and none
    where they do not follow each other as `write` writes them.

    No JSON string holds `"records":"`, for a quote in it stands behind a backslash; and what begins there ends at the
    next quote, for a backslash is no base64.
    """
    rest, columns, end, view = [], [], 0, memoryview(raw)
    while (begin := raw.find(_COLUMNS[0], end)) >= 0:
        rest.append(raw[end:begin])
        for name in _COLUMNS:
            end = raw.find(b'"', begin + len(name))
            if end < 0 or not raw.startswith(name, begin):
                return raw, []
            rest.append(name)
            columns.append(view[begin + len(name) : end])
            begin = end
    rest.append(raw[end:])
    return b"".join(rest), columns


def _put_back(bundle: Bundle, columns: Sequence[memoryview]) -> Bundle:
    """Raises Refused unless each group has its columns: objects of other kinds have no field of these names."""
    if len(columns) != len(_COLUMNS) * sum(len(leaf.groups) for leaf in bundle.leaves):
        raise Refused("groups are written in two ways")
    texts = map(decode, columns)
    leaves = []
    for leaf in bundle.leaves:
        groups = [GroupPart(one.at, one.group, one.path, *islice(texts, len(_COLUMNS))) for one in leaf.groups]
        leaves.append(replace(leaf, groups=tuple(groups)))
    return replace(bundle, leaves=tuple(leaves))


def _with_shown(value: Any) -> Any:
    """A file of the first format as one of this: it shows nothing further."""
    if type(value) is not tuple or value[:1] != (("format", FIRST_FORMAT),):
        return value
    return (*value, ("shown", []))


def raw_id(text: str) -> bytes:
    """An id of the file as it stands in records; written in one way only. Raises Refused."""
    try:
        raw = bytes.fromhex(text)
    except ValueError as error:
        raise Refused("an id is no hexadecimal number") from error
    if raw.hex() != text:
        raise Refused("an id is written in another way")
    return raw


def numbers_of(named: Iterable[tuple[str, int]]) -> dict[bytes, int]:
    """By id as it stands in records. Raises Refused."""
    return {raw_id(text): number for text, number in named}


def evidence_of(raw: bytes, count: int) -> list[bytes]:
    """The `count` texts behind each other; mostly one is like the one before it. Raises Refused."""
    found, at, whole = list[bytes](), 0, len(raw)
    try:
        while at < whole:
            end = at + LENGTH_BYTES + (raw[at] << 8 | raw[at + 1])
            one, begin, at = raw[at:end], at, end
            if raw.startswith(one, at):
                many = one * _ALIKE
                while raw.startswith(many, at):
                    at += len(many)
                while raw.startswith(one, at):
                    at += len(one)
                found += [one[LENGTH_BYTES:]] * ((at - begin) // len(one))
            else:
                found.append(one[LENGTH_BYTES:])
    except IndexError:
        at = -1
    if at != whole or len(found) != count:
        raise Refused("evidence is not of as many records as there are")
    return found


def behind_lengths(texts: Sequence[bytes]) -> bytes:
    """Texts for `evidence_of`."""
    return b"".join(len(one).to_bytes(LENGTH_BYTES, "big") + one for one in texts)


def _check_once(named: Sequence[tuple[str, int]], what: str) -> None:
    """Raises Refused where two have one id or one number, of which one would hide behind the other."""
    if not len(named) == len({one for one, _ in named}) == len({number for _, number in named}):
        raise Refused(f"{what} stands twice, or two have one number")
    if any(number < 0 for _, number in named):
        raise Refused(f"{what} has no number")


def _check_group(part: GroupPart) -> None:
    count, rest = divmod(len(part.records), RECORD_BYTES)
    if rest or (len(part.salts), len(part.hints)) != (count * SALT_BYTES, count * HINT_BYTES):
        raise Refused("records, salts and hints are not of one number")


def _made(kind: Any, value: Any) -> Any:
    """A value as this kind: exactly its fields in their order, each of its type; an object is a tuple of pairs."""
    return _maker(kind)(value)


@cache
def _maker(kind: Any) -> Callable[[Any], Any]:
    """What makes values of this kind, worked out once: a class has thousands of seats and claims."""
    if is_dataclass(kind):
        return _dataclass(cast(Any, kind))
    if get_origin(kind) is tuple:
        return _tuple(get_args(kind)[0])
    return _bytes if kind is bytes else _plain(kind)


def _dataclass(kind: Any) -> Callable[[Any], Any]:
    hints = get_type_hints(kind)
    names, types = tuple(hints), tuple(hints.values())
    makers = [_maker(one) for one in types]

    def made(value: Any) -> Any:
        if type(value) is not tuple or tuple([name for name, _ in value]) != names:
            raise Refused(f"{kind.__name__} has other fields")
        return kind(*[make(one) for make, (_, one) in zip(makers, value, strict=True)])

    return made


def _tuple(kind: Any) -> Callable[[Any], Any]:
    make, many = _maker(kind), _many(kind) if is_dataclass(kind) else None

    def made(value: Any) -> Any:
        if not isinstance(value, list):
            raise Refused("a list is expected")
        found = many(value) if many is not None else ()
        return found or tuple([make(one) for one in value])

    return made


def _many(kind: Any) -> Callable[[list[Any]], tuple[Any, ...]] | None:
    """What makes many objects of plain fields at once, field by field; of what is not all like that it makes none."""
    names, types = list(get_type_hints(kind)), list(get_type_hints(kind).values())
    wide = 2 * len(names)

    def made(value: list[Any]) -> tuple[Any, ...]:
        if set(map(type, value)) != {tuple} or set(map(len, value)) != {len(names)}:
            return ()
        words = list(chain.from_iterable(chain.from_iterable(value)))
        fields = [words[at::wide] for at in range(1, wide, 2)]
        if words[::2] != names * len(value) or [set(map(type, one)) for one in fields] != [{one} for one in types]:
            return ()
        return tuple(map(kind, *fields))

    return made if set(types) <= {str, int} else None


def _plain(kind: type) -> Callable[[Any], Any]:
    def made(value: Any) -> Any:
        if type(value) is not kind:
            raise Refused(f"{kind.__name__} is expected")
        return value

    return made


def _bytes(value: Any) -> bytes:
    if not isinstance(value, str):
        raise Refused("bytes are expected")
    return decode(value)


def _no_number(_text: str) -> None:
    raise Refused("not a number")
