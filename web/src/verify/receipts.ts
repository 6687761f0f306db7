/** Decides whether a 学时回执 and a package say the same; the same as server/verify/receipts.py. */
import { sha256 } from '@noble/hashes/sha2.js'
import { RECORD_BYTES, type Bundle } from './bundle'
import { MINUTE, readRecord } from './formats'
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

/** A receipt, and whether the package says the same. Throws Refused where it is none of this log. */
export function checkReceipt(raw: string, bundle: Bundle, keys: readonly Key[]): { receipt: Receipt; holds: boolean } {
  const note = readNote(raw)
  const receipt = readReceipt(note.text)
  if (receipt.origin !== readCheckpoint(readNote(bundle.checkpoint).text).origin) throw new Refused('a receipt of another log')
  if (keys.length && !checkLog(note, keys).length) throw new Refused('a receipt that this log did not sign')
  return { receipt, holds: fits(receipt, minutesOf(bundle, receipt)) }
}

function fits(receipt: Receipt, raws: readonly Bytes[]): boolean {
  const creditMs = raws.reduce((all, raw) => all + readRecord(raw).creditMs, 0)
  return raws.length === receipt.minutes && creditMs === receipt.creditMs && same(sha256(joined(...raws)), receipt.digest)
}

function minutesOf(bundle: Bundle, receipt: Receipt): Bytes[] {
  const parts = bundle.leaves.flatMap((leaf) => leaf.groups).filter((part) => hex(part.group.subarray(0, 8)) === receipt.lesson)
  const raws = parts.flatMap((part) => pieces(part.records, RECORD_BYTES))
  const own = raws.filter((raw) => raw[0] === MINUTE && hex(raw.subarray(10, 18)) === receipt.person)
  return own.sort((a, b) => readRecord(a).slot - readRecord(b).slot)
}
