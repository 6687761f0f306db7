/** What the log commits to, byte by byte; numbers are big-endian (server/verify/formats.py). */
import { hex } from './notes'
import { Refused, same, type Bytes } from './tree'

/** Stands in place of a record that was deleted: `evidence` is its hash, `mode` is said to be its kind. */
export const ERASED = 0
export const MINUTE = 1
export const LEASE = 2
export const LEASE_END = 3
export const LESSON_EVENT = 4
export const SETTLEMENT = 5
export const CORRECTION = 6
export const SCHEME = 8
export const TRAINING_CLASS = 10
export const CHALLENGE_SEED = 14
export const CHALLENGE_OUTCOME = 15
export const DELETION = 16
export const PAGE_KEY = 17
export const LESSON_MINUTE = 20
/** The modes of CHALLENGE_SEED: the digest of a seed, and once more when it is shown. */
export const COMMITTED = 1
export const REVEALED = 2
/** resource: a lesson of the class whose group this is; seq: its number. */
export const LESSON = 21
/** subject: a trainee of the class; seq: the seat; evidence: seats.digest. */
export const IDENTITY = 22
/** resource: a lesson; subject: who acted in it; seq: the step, see steps.ts. */
export const LESSON_ACT = 23
/** subject: who gave it; resource: the file's id; seq: its number in the lesson; evidence: of its row, with its SHA-256. */
export const LESSON_FILE = 24
/** The mode of the event that ends a lesson, whose `creditMs` is how many acts there were. */
export const ENDED = 1
/** The mode of a correction's record: of `subject`'s minute `seq` count `creditMs` now, and `flags` before. */
export const CHANGED = 5
export const GAP = 1
export const LATE = 2
export const CLOCK_WRONG = 4
const VERSION = 1
const NO_HASH = new Uint8Array(32)

export interface Leaf { slot: number; flags: number; nGroups: number; groupsRoot: Bytes; sealedMs: number }
export interface Group { id: string; nRecords: number; nCredited: number; creditMs: number; recordsRoot: Bytes }
export interface Rec { kind: number; version: number; slot: number; seq: number; subject: string; session: string; resource: string; mode: number; creditMs: number; flags: number; evidence: Bytes }

const view = (raw: Bytes): DataView => new DataView(raw.buffer, raw.byteOffset, raw.length)

export function readLeaf(raw: Bytes): Leaf {
  if (raw.length !== 98) throw new Refused('98 bytes are expected')
  const at = view(raw)
  return { slot: at.getUint32(0), flags: at.getUint16(4), nGroups: at.getUint32(6), groupsRoot: raw.subarray(22, 54), sealedMs: Number(at.getBigUint64(86)) }
}

export function readGroup(raw: Bytes): Group {
  if (raw.length !== 49) throw new Refused('49 bytes are expected')
  const at = view(raw)
  return { id: hex(raw.subarray(0, 8)), nRecords: at.getUint16(8), nCredited: at.getUint16(10), creditMs: at.getUint32(12), recordsRoot: raw.subarray(17) }
}

export function readRecord(raw: Bytes): Rec {
  const at = view(raw)
  return {
    kind: at.getUint8(0),
    version: at.getUint8(1),
    slot: at.getUint32(2),
    seq: at.getUint32(6),
    subject: hex(raw.subarray(10, 18)),
    session: hex(raw.subarray(18, 26)),
    resource: hex(raw.subarray(26, 34)),
    mode: at.getUint8(34),
    creditMs: at.getUint32(35),
    flags: at.getUint16(39),
    evidence: raw.subarray(41),
  }
}

export const isKnown = (record: Rec): boolean => record.version === VERSION
export const isEmpty = (evidence: Bytes): boolean => same(evidence, NO_HASH)
