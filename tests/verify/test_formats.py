"""Records, groups and leaves byte by byte: sizes, edges, order, salts and roots."""

import hashlib
import hmac
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.verify import formats
from server.verify.formats import Group, Kind, Leaf, LeafFlag, Record
from server.verify.tree import EMPTY, Refused, leaf_hash, node_hash

ID, HASH = bytes(range(8)), bytes(range(32))
RECORD = Record(Kind.MINUTE, 29_800_000, 7, ID, ID[::-1], ID, 1, 60_000, 3, HASH)
GROUP = Group(ID, 2, 1, 60_000, 1, HASH)
LEAF = Leaf(29_800_000, LeafFlag.LATE, 1, 2, 60_000, HASH, HASH[::-1], 1_788_000_095_000, -12)

ids, hashes = st.binary(min_size=8, max_size=8), st.binary(min_size=32, max_size=32)


def whole(bits: int) -> st.SearchStrategy[int]:
    return st.integers(0, 2**bits - 1)


records = st.builds(
    Record,
    kind=whole(8),
    slot=whole(32),
    seq=whole(32),
    subject=ids,
    session=ids,
    resource=ids,
    mode=whole(8),
    credit_ms=whole(32),
    flags=whole(16),
    evidence=hashes,
    version=st.just(formats.VERSION),
)
groups = st.builds(Group, ids, whole(16), whole(16), whole(32), whole(8), hashes)
leaves = st.builds(
    Leaf,
    whole(32),
    whole(16),
    whole(32),
    whole(32),
    whole(64),
    hashes,
    hashes,
    whole(64),
    st.integers(-(2**31), 2**31 - 1),
)


def test_sizes_and_the_bytes_themselves() -> None:
    assert (formats.RECORD_BYTES, formats.GROUP_BYTES, formats.LEAF_BYTES) == (73, 49, 98)
    assert RECORD.pack().hex() == (
        "0101"
        + "01c6b640"
        + "00000007"
        + ID.hex()
        + ID[::-1].hex()
        + ID.hex()
        + "01"
        + "0000ea60"
        + "0003"
        + HASH.hex()
    )
    assert GROUP.pack().hex() == ID.hex() + "0002" + "0001" + "0000ea60" + "01" + HASH.hex()
    assert LEAF.pack().hex() == (
        "01c6b640" + "0002" + "00000001" + "00000002" + "000000000000ea60" + HASH.hex() + HASH[::-1].hex()
        + "000001a04d1c4b18" + "fffffff4"
    )  # fmt: skip


def test_the_numbers_never_change() -> None:
    assert {one.name: one.value for one in Kind} == {
        "ERASED": 0, "MINUTE": 1, "LEASE": 2, "LEASE_END": 3, "LESSON_EVENT": 4, "SETTLEMENT": 5, "CORRECTION": 6,
        "APPEAL": 7, "SCHEME": 8, "ENROLMENT": 9, "TRAINING_CLASS": 10, "INSTITUTION": 11, "KEY_ROTATION": 12,
        "REGULATOR_VIEW": 13, "CHALLENGE_SEED": 14, "CHALLENGE_OUTCOME": 15, "DELETION": 16, "PAGE_KEY": 17,
        "SUCCESSOR": 18, "PLATFORM": 19, "LESSON_MINUTE": 20, "LESSON": 21, "IDENTITY": 22,
        "LESSON_ACT": 23, "LESSON_FILE": 24, "CHALLENGE_ANSWER": 30, "CHALLENGE_LOOK": 31,
    }  # fmt: skip
    assert {one.name: one.value for one in LeafFlag} == {"GAP": 1, "LATE": 2, "CLOCK_WRONG": 4}
    of_appeals = (formats.ASKED, formats.PROPOSED, formats.DECIDED, formats.OBJECTED, formats.CHANGED)
    assert (formats.ENDED, of_appeals) == (1, (1, 2, 3, 4, 5))
    assert (formats.OPENED, formats.REFILLED, formats.COMMITTED, formats.REVEALED) == (1, 2, 1, 2)
    assert (formats.VERSION, formats.UNKNOWN_MS, formats.RECORDS_MOST) == (1, -2_147_483_648, 65_535)
    assert (formats.ID_BYTES, formats.SALT_BYTES, formats.KEY_BYTES) == (8, 16, 32)


def test_many_records_are_read_as_they_stand_in_the_bytes() -> None:
    fields = (1, 1, 29_800_000, 7, ID, ID[::-1], ID, 1, 60_000, 3, HASH)
    assert formats.read_records(RECORD.pack() * 2) == [fields, fields]


def test_what_is_not_said_of_a_record_is_nothing() -> None:
    assert Record(3, 7) == Record(3, 7, 0, bytes(8), bytes(8), bytes(8), 0, 0, 0, bytes(32), 1)


@given(records)
def test_records_come_back(record: Record) -> None:
    assert formats.read_record(record.pack()) == record


@given(groups, leaves)
def test_groups_and_leaves_come_back(group: Group, leaf: Leaf) -> None:
    assert formats.read_group(group.pack()) == group
    assert formats.read_leaf(leaf.pack()) == leaf


@pytest.mark.parametrize("cut", [-1, 1])
def test_other_lengths_are_refused(cut: int) -> None:
    for read, raw in (
        (formats.read_record, RECORD.pack()),
        (formats.read_group, GROUP.pack()),
        (formats.read_leaf, LEAF.pack()),
    ):
        with pytest.raises(Refused):
            read(raw[:cut] if cut < 0 else raw + bytes(cut))


def test_a_record_of_an_unknown_version() -> None:
    with pytest.raises(Refused, match="version"):
        formats.read_record(replace(RECORD, version=2).pack())


@pytest.mark.parametrize(
    "record",
    [
        replace(RECORD, kind=256),
        replace(RECORD, slot=-1),
        replace(RECORD, credit_ms=2**32),
        replace(RECORD, flags=2**16),
        replace(RECORD, subject=ID + b"x"),
        replace(RECORD, session=ID[1:]),
        replace(RECORD, resource=b""),
        replace(RECORD, evidence=HASH[1:]),
    ],
)
def test_what_does_not_fit_into_a_record(record: Record) -> None:
    with pytest.raises(Refused):
        record.pack()


@pytest.mark.parametrize(
    "group", [replace(GROUP, id=b""), replace(GROUP, n_records=2**16), replace(GROUP, records_root=b"")]
)
def test_what_does_not_fit_into_a_group(group: Group) -> None:
    with pytest.raises(Refused):
        group.pack()


@pytest.mark.parametrize(
    "leaf",
    [
        replace(LEAF, slot=2**32),
        replace(LEAF, groups_root=b""),
        replace(LEAF, scheme_hash=b""),
        replace(LEAF, sealed_ms=-1),
    ],
)
def test_what_does_not_fit_into_a_leaf(leaf: Leaf) -> None:
    with pytest.raises(Refused):
        leaf.pack()


def test_a_salt_is_the_beginning_of_an_hmac_and_hides_the_record() -> None:
    packed = RECORD.pack()
    salt = formats.salt_of(HASH, packed)
    assert salt == hmac.new(HASH, packed, hashlib.sha256).digest()[:16]
    assert formats.record_hash(salt, packed) == hashlib.sha256(b"\0" + salt + packed).digest()
    assert formats.salt_of(HASH[::-1], packed) != salt != formats.salt_of(HASH, replace(RECORD, seq=8).pack())


def test_the_order_within_a_group() -> None:
    first = Record(Kind.MINUTE, 5, 0, ID)
    later = [
        replace(first, seq=1),
        replace(first, subject=ID[::-1]),
        replace(first, slot=6),
        replace(first, kind=Kind.LEASE, slot=1),
    ]
    assert sorted([*reversed(later), first], key=formats.order_of) == [first, *later]


def test_a_group_counts_minutes_alone() -> None:
    minutes = [Record(Kind.MINUTE, 5, 0, bytes([number]) * 8, credit_ms=number * 1000) for number in range(3)]
    lease = Record(Kind.LEASE, 5, 0, ID, credit_ms=99)
    hashed = [leaf_hash(one.pack()) for one in (*minutes, lease)]
    group = formats.group_of(ID, 1, [*minutes, lease], hashed)
    assert (group.n_records, group.n_credited, group.credit_ms, group.state) == (4, 2, 3000, 1)
    assert group.records_root == node_hash(node_hash(*hashed[:2]), node_hash(*hashed[2:]))


def test_the_root_over_groups() -> None:
    other = replace(GROUP, id=ID[::-1])
    assert formats.groups_root([]) == EMPTY
    assert formats.groups_root([GROUP, other]) == node_hash(leaf_hash(GROUP.pack()), leaf_hash(other.pack()))


@given(st.lists(st.tuples(ids, ids, ids, whole(8), whole(32), whole(16), hashes), max_size=5), whole(32))
def test_many_minutes_at_once(minutes: list[tuple[bytes, bytes, bytes, int, int, int, bytes]], slot: int) -> None:
    one_by_one = b"".join(Record(Kind.MINUTE, slot, 0, *said).pack() for said in minutes)
    told = [(said[0], formats.minute_tail(*said[1:])) for said in minutes]
    assert formats.pack_minutes(slot, told) == one_by_one
