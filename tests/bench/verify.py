"""Records that are checked in a CPU-second, from the file to the verdict, beside one Ed25519 signature per record."""

import time
from hashlib import sha256
from statistics import median
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from server.attendance.evidence import minute_records
from server.attendance.minutes import SealedMinute, text_of
from server.core.signing import FileSigner
from server.ledger.rules import SEAL_AFTER_MS, Entry, make_minute, place_of, split, subject_of
from server.verify import bundle
from server.verify.bundle import Bundle, Claim, GroupPart, LeafPart, LessonName, Seat, behind_lengths
from server.verify.check import check
from server.verify.formats import Kind, Record, read_record, salt_of
from server.verify.notes import Checkpoint, Key, Note, sign
from server.verify.notes import Kind as KeyKind
from server.verify.tree import leaf_hash, nodes, prove_inclusion, root
from tests.bench.seal import EPOCH, minute_of
from tests.ledger.world import GENESIS, LESSON

MINUTES: Final = 20
ROUNDS: Final = 5
NAIVE: Final = 500
SALT: Final = bytes(32)


def evidence(signer: FileSigner) -> Bundle:
    """A lesson of 5,000 trainees; every twentieth was away for a moment in each minute."""
    minutes = [minute_of(GENESIS + at) for at in range(MINUTES)]
    parts = [_part(one, leases=at == 0) for at, one in enumerate(minutes)]
    hashes = [leaf_hash(leaf) for leaf, _ in parts]
    text = str(Checkpoint("bench", MINUTES, root(hashes)))
    sums: dict[str, int] = {}
    for record in (record for minute in minutes for record in minute.records):
        sums[record.person_id] = sums.get(record.person_id, 0) + record.credit_ms
    return Bundle(
        bundle.FORMAT,
        GENESIS,
        str(Note(text, (sign(text, "bench", signer),))),
        (LessonName(LESSON, 1),),
        tuple(Seat(person_id, seat) for seat, person_id in enumerate(sums, 1)),
        tuple(Claim(LESSON, person_id, ms) for person_id, ms in sums.items()),
        tuple(
            LeafPart(at, leaf, tuple(prove_inclusion(nodes(hashes), at, MINUTES)), (part,))
            for at, (leaf, part) in enumerate(parts)
        ),
    )


def _part(minute: SealedMinute, leases: bool) -> tuple[bytes, GroupPart]:
    """A minute; everybody's lease was granted in the first one."""
    texts = {sha256(packed).digest(): packed for packed in map(text_of, minute.records)}
    said = split(minute_records(LESSON, minute))
    if leases:
        session = EPOCH.to_bytes(8, "big")
        people = [bytes.fromhex(one.person_id) for one in minute.records]
        said += [Record(Kind.LEASE, minute.slot, EPOCH, one, session).pack() for one in people]
    packed = sorted(said, key=place_of)
    keys = {LESSON: {subject_of(raw): SALT for raw in packed}}
    entry = Entry("0", minute.slot, LESSON, b"".join(packed))
    sealed_ms = (minute.slot + 1) * 60_000 + SEAL_AFTER_MS
    made = make_minute(minute.slot, [entry], keys, bytes(32), sealed_ms, 0)
    salts = [salt_of(SALT, raw) for raw in packed]
    (group,) = made.groups
    shown = behind_lengths([texts.get(read_record(raw).evidence, b"") for raw in packed])
    return made.leaf.pack(), GroupPart(0, group.group.pack(), (), b"".join(packed), b"".join(salts), group.hints, shown)


def run() -> list[dict[str, Any]]:
    """One figure: verify.records_per_cpu_s."""
    signer = FileSigner(bytes(32))
    raw, known = bundle.write(evidence(signer)), Key("bench", KeyKind.LOG, signer.public)
    key, ours, theirs = Ed25519PrivateKey.generate(), [], []
    signature, public = key.sign(raw[:73]), key.public_key()
    for _ in range(ROUNDS):
        before = time.process_time()
        report = check(bundle.read(raw), [known])
        ours.append(report.n_records / (time.process_time() - before))
        if not report.authentic:
            raise RuntimeError(f"what was measured does not hold: {report.findings[:3]}")
        before = time.process_time()
        for _ in range(NAIVE):
            public.verify(signature, raw[:73])
        theirs.append(NAIVE / (time.process_time() - before))
    rate, naive = median(ours), median(theirs)
    peer = f"one Ed25519 signature per record: {naive:.0f} 1/s"
    return [{"name": "verify.records_per_cpu_s", "value": rate, "unit": "1/s", "peer": peer, "ratio": rate / naive}]
