/** Decides what stands behind the digest of a trainee's minute; the same as server/verify/minutes.py. */
import { hex } from './notes'
import { Refused, type Bytes } from './tree'

/** The flags of a minute's record: the form of what stands behind its digest. */
export const PLAIN = 0
export const SUMMARY = 1
const CREDITED = 0
const CLOSED = 255
const MINUTE_MS = 60_000
const [HEAD, ODD, SPELL] = [5, 10, 3]
const [HAS_ODD, KNOWN_MARKS] = [0b100000, 0b111111]

/** Milliseconds credited and delivered, and the lease (0: older than the log). */
export interface Said { creditMs: number; deliveredMs: number; epoch: number }

const at = (raw: Bytes): DataView => new DataView(raw.buffer, raw.byteOffset, raw.length)

/** What a text of this form says of this trainee's minute. Throws Refused for what no honest minute says. */
export function said(form: number, subject: string, raw: Bytes): Said {
  if (form === SUMMARY) return summary(raw)
  if (form !== PLAIN) throw new Refused('a minute of an unknown form')
  return plain(subject, raw)
}

function summary(raw: Bytes): Said {
  const begin = HEAD + (raw[4] !== undefined && raw[4] & HAS_ODD ? ODD : 0)
  if (raw.length < begin || (raw.length - begin) % SPELL) throw new Refused('a summary is cut off')
  const marks = raw[4] as number
  const odd = raw.subarray(HEAD, begin)
  if (marks > KNOWN_MARKS || (odd.length > 0 && odd.every((byte) => byte === 0))) throw new Refused('a summary with unknown marks')
  return spells(at(raw), begin)
}

function spells(view: DataView, begin: number): Said {
  const found: Said = { creditMs: 0, deliveredMs: 0, epoch: view.getUint32(0) }
  let [last, before] = [-1, 0]
  for (let place = begin; place < view.byteLength; place += SPELL) {
    const [state, end] = [view.getUint8(place), view.getUint16(place + 1)]
    if (state === last || end <= before || end > MINUTE_MS) throw new Refused('the spells of a minute do not follow each other')
    if (state === CREDITED) found.creditMs += end - before
    if (state !== CLOSED) found.deliveredMs += end - before
    ;[last, before] = [state, end]
  }
  if (last === CLOSED) throw new Refused('what is not said last is not said')
  return found
}

function plain(subject: string, raw: Bytes): Said {
  if (raw.length < 11 || hex(raw.subarray(0, 8)) !== subject) throw new Refused('the details of a minute are of somebody else, or cut off')
  const view = at(raw)
  const [spans, reasons] = [view.getUint16(8), view.getUint8(10)]
  const middle = 11 + spans * 4
  if (raw.length !== middle + reasons * 3) throw new Refused('the details of a minute are cut off')
  let [creditMs, lostMs] = [0, 0]
  for (let place = 11; place < middle; place += 4) creditMs += view.getUint16(place + 2) - view.getUint16(place)
  for (let place = middle; place < raw.length; place += 3) lostMs += view.getUint16(place + 1)
  return { creditMs, deliveredMs: creditMs + lostMs, epoch: 0 }
}
