/** Decides what stands behind the digest of a trainee's minute; the same as server/verify/minutes.py. */
import { hex } from './notes'
import { Refused, type Bytes } from './tree'
import type { Span } from './vouched'

/** The flags of a minute's record: the form of what stands behind its digest. */
export const PLAIN = 0
export const SUMMARY = 1
const CREDITED = 0
const CLOSED = 255
const MINUTE_MS = 60_000
const [HEAD, ODD, SPELL] = [5, 10, 3]
const [PLAIN_HEAD, PLAIN_SPAN] = [11, 4]
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

/** The credited spans of a text of this form, as offsets in the minute; none of one that cannot be read. */
export function credited(form: number, raw: Bytes): Span[] {
  try {
    return form === SUMMARY ? creditedSpells(at(raw), beginOf(raw)) : plainSpans(raw)
  } catch (error) {
    if (error instanceof Refused) return []
    throw error
  }
}

function creditedSpells(view: DataView, begin: number): Span[] {
  const found: Span[] = []
  let before = 0
  for (let place = begin; place < view.byteLength; place += SPELL) {
    const end = view.getUint16(place + 1)
    if (view.getUint8(place) === CREDITED) found.push([before, end])
    before = end
  }
  return found
}

function plainSpans(raw: Bytes): Span[] {
  if (raw.length < PLAIN_HEAD) return []
  const view = at(raw.subarray(0, PLAIN_HEAD + at(raw).getUint16(8) * PLAIN_SPAN))
  const found: Span[] = []
  if ((view.byteLength - PLAIN_HEAD) % PLAIN_SPAN) return found
  for (let place = PLAIN_HEAD; place < view.byteLength; place += PLAIN_SPAN) found.push([view.getUint16(place), view.getUint16(place + 2)])
  return found
}

function summary(raw: Bytes): Said {
  return spells(at(raw), beginOf(raw))
}

/** Where the spells of a summary begin. Throws Refused for what is cut off, or of marks that nobody writes. */
function beginOf(raw: Bytes): number {
  const begin = HEAD + (raw[4] !== undefined && raw[4] & HAS_ODD ? ODD : 0)
  if (raw.length < begin || (raw.length - begin) % SPELL) throw new Refused('a summary is cut off')
  const marks = raw[4] as number
  const odd = raw.subarray(HEAD, begin)
  if (marks > KNOWN_MARKS || (odd.length > 0 && odd.every((byte) => byte === 0))) throw new Refused('a summary with unknown marks')
  return begin
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
  if (raw.length < PLAIN_HEAD || hex(raw.subarray(0, 8)) !== subject) throw new Refused('the details of a minute are of somebody else, or cut off')
  const view = at(raw)
  const [spans, reasons] = [view.getUint16(8), view.getUint8(10)]
  const middle = PLAIN_HEAD + spans * PLAIN_SPAN
  if (raw.length !== middle + reasons * 3) throw new Refused('the details of a minute are cut off')
  let [creditMs, lostMs] = [0, 0]
  for (let place = PLAIN_HEAD; place < middle; place += PLAIN_SPAN) creditMs += view.getUint16(place + 2) - view.getUint16(place)
  for (let place = middle; place < raw.length; place += 3) lostMs += view.getUint16(place + 1)
  return { creditMs, deliveredMs: creditMs + lostMs, epoch: 0 }
}
