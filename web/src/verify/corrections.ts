/** Decides what stood in a minute before it was corrected, as the evidence shows it; the same as server/verify/corrections.py. */
import { RECORD_BYTES, type Bundle } from './bundle'
import { isKnown, LESSON_MINUTE, MINUTE, readRecord, type Rec } from './formats'
import { hex } from './notes'
import { amount, of, plus } from './sums'
import { pieces } from './tree'

/** What the log says of a lesson. */
export interface Said { lesson: string; record: Rec }

/** What was delivered in a minute of a lesson, and credited to whom. */
interface Minute { deliveredMs: number; credits: Map<string, number> }

/** Corrections in order of time, each with whether it begins at what counted until then, within what was delivered. */
export function followed(bundle: Bundle, corrections: readonly Said[], uncounted: ReadonlyMap<string, number>): (Said & { follows: boolean })[] {
  const known = [...corrections].sort((a, b) => a.record.slot - b.record.slot)
  const minutes = minutesOf(bundle, new Set(known.map(({ lesson, record }) => `${lesson} ${record.seq}`)))
  const counted = new Map<string, number>()
  return known.map(({ lesson, record }) => {
    const key = `${lesson} ${record.subject} ${record.seq}`
    const { deliveredMs, credits } = minutes.get(`${lesson} ${record.seq}`) ?? { deliveredMs: 0, credits: new Map<string, number>() }
    const before = counted.get(key) ?? amount(credits, record.subject) - amount(uncounted, key)
    counted.set(key, record.creditMs)
    return { lesson, record, follows: record.flags === before && record.creditMs <= deliveredMs }
  })
}

/** These minutes, looked up once more: they are few. */
function minutesOf(bundle: Bundle, wanted: ReadonlySet<string>): Map<string, Minute> {
  const found = new Map<string, Minute>()
  if (!wanted.size) return found
  for (const part of bundle.leaves.flatMap((leaf) => leaf.groups)) {
    const lesson = hex(part.group.subarray(0, 8))
    for (const record of pieces(part.records, RECORD_BYTES).map(readRecord).filter(isMinute))
      if (wanted.has(`${lesson} ${record.slot}`)) take(of(found, `${lesson} ${record.slot}`, () => ({ deliveredMs: 0, credits: new Map<string, number>() })), record)
  }
  return found
}

const isMinute = (record: Rec): boolean => isKnown(record) && (record.kind === MINUTE || record.kind === LESSON_MINUTE)

function take(minute: Minute, record: Rec): void {
  if (record.kind === LESSON_MINUTE) minute.deliveredMs = record.creditMs
  else plus(minute.credits, record.subject, record.creditMs)
}
