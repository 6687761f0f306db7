/** Decides whether a 学时回执 and a package say the same; the same as server/verify/receipts.py. */
import { sha256 } from '@noble/hashes/sha2.js'
import { FORMAT as ACK, keeps, readAck, type Ack } from './acks'
import { RECORD_BYTES, type Bundle } from './bundle'
import { ERASED, LESSON_MINUTE, MINUTE, readRecord } from './formats'
import { reached, shownBy } from './handover'
import { checkLog, decode, hex, readCheckpoint, readNote, type Key } from './notes'
import { joined, pieces, Refused, same, type Bytes } from './tree'

export const FORMAT = 'keshi-receipt/v1'
const FORM = /^keshi-receipt\/v1\n(?<origin>[^\s+]+)\nlesson (?<lesson>[0-9a-f]{16})\nperson (?<person>[0-9a-f]{16})\ncredit_ms (?<creditMs>0|[1-9][0-9]{0,12})\nminutes (?<minutes>0|[1-9][0-9]{0,6})\nrecords (?<digest>\S+)\n$/
type Said = Record<'origin' | 'lesson' | 'person' | 'creditMs' | 'minutes' | 'digest', string>

export interface Receipt { origin: string; lesson: string; person: string; creditMs: number; minutes: number; digest: Bytes }

/** The text of a note as a receipt. Throws Refused. */
export function readReceipt(text: string): Receipt {
  const said = FORM.exec(text)?.groups as Said | undefined
  if (!said) throw new Refused('not a receipt')
  const digest = decode(said.digest)
  if (digest.length !== 32) throw new Refused('not a receipt: its digest')
  return { ...said, creditMs: Number(said.creditMs), minutes: Number(said.minutes), digest }
}

/** A receipt or acknowledgement, and whether the package says the same. Throws Refused where it is not of this log. */
export function checkReceipt(raw: string, bundle: Bundle, keys: readonly Key[]): { receipt: Receipt | Ack; holds: boolean } {
  const note = readNote(raw)
  const receipt = note.text.startsWith(ACK) ? readAck(note.text) : readReceipt(note.text)
  const handovers = shownBy(bundle)
  const names = [readCheckpoint(readNote(bundle.checkpoint).text).origin, ...handovers.map((one) => one.before.name)]
  if (!names.includes(receipt.origin)) throw new Refused('a receipt of another log')
  if (keys.length && !checkLog(note, reached(keys, handovers)).length) throw new Refused('a receipt that this log did not sign')
  const said = saidOf(bundle, receipt.lesson)
  if (said.some((raw) => raw[0] === ERASED)) return { receipt, holds: true } // deleted after its time, or named already
  const own = minutesOf(said, receipt.person)
  if ('digest' in receipt) return { receipt, holds: fits(receipt, own) }
  return { receipt, holds: keeps(receipt, milliseconds(own), milliseconds(said.filter((raw) => raw[0] === LESSON_MINUTE))) }
}

/** Milliseconds by minute. */
const milliseconds = (raws: readonly Bytes[]): Map<number, number> => new Map(raws.map((raw) => {
  const { slot, creditMs } = readRecord(raw)
  return [slot, creditMs]
}))

function fits(receipt: Receipt, raws: readonly Bytes[]): boolean {
  const creditMs = raws.reduce((all, raw) => all + readRecord(raw).creditMs, 0)
  return raws.length === receipt.minutes && creditMs === receipt.creditMs && same(sha256(joined(...raws)), receipt.digest)
}

/** All packed records of a lesson. */
function saidOf(bundle: Bundle, lesson: string): Bytes[] {
  const parts = bundle.leaves.flatMap((leaf) => leaf.groups).filter((part) => hex(part.group.subarray(0, 8)) === lesson)
  return parts.flatMap((part) => pieces(part.records, RECORD_BYTES))
}

function minutesOf(said: readonly Bytes[], person: string): Bytes[] {
  const own = said.filter((raw) => raw[0] === MINUTE && hex(raw.subarray(10, 18)) === person)
  return own.sort((a, b) => readRecord(a).slot - readRecord(b).slot)
}
