/** Decides whether somebody was credited in two lessons at one moment; the same as server/verify/once.py. */
import { evidenceOf, RECORD_BYTES, type Bundle, type GroupPart } from './bundle'
import type { Wrong } from './challenges'
import { MINUTE, readRecord } from './formats'
import { credited } from './minutes'
import { hex } from './notes'
import type { ByMinute } from './settled'
import { of } from './sums'
import { pieces, type Bytes } from './tree'

/** Where a credited span begins and ends in its minute. */
interface Span { start: number; end: number; lesson: string }

/** Both minutes of which a moment is credited twice. Only of who has two in one slot the details are read, once more. */
export function atOnce(bundle: Bundle, minutes: ByMinute): Wrong[] {
  const shared = sharedOf(minutes)
  if (!shared.size) return []
  const spans = new Map<string, Span[]>()
  for (const part of bundle.leaves.flatMap((leaf) => leaf.groups)) take(part, shared, spans)
  return [...spans].flatMap(([key, mine]) => {
    const [slot = '', person = ''] = key.split(' ')
    return [...overlapping(mine)].map((lesson): Wrong => ({ code: 'two_lessons', slot: Number(slot), lesson, person }))
  })
}

/** Slot and trainee of whoever has more than one minute of a slot. */
function sharedOf(minutes: ByMinute): Set<string> {
  const slots = new Map<number, ReadonlyMap<string, number>[]>()
  for (const [slot, people] of [...minutes.values()].flatMap((one) => [...one])) of(slots, slot, () => []).push(people)
  const found = [...slots].filter(([, many]) => many.length > 1).flatMap(([slot, many]) => twice(many).map((person) => `${slot} ${person}`))
  return new Set(found)
}

/** Who is in more than one of these. */
function twice(many: readonly ReadonlyMap<string, number>[]): string[] {
  const once = new Set<string>()
  return many.flatMap((people) => [...people.keys()]).filter((person) => once.size === once.add(person).size)
}

function take(part: GroupPart, shared: ReadonlySet<string>, spans: Map<string, Span[]>): void {
  const raws = pieces(part.records, RECORD_BYTES)
  const texts = evidenceOf(part.evidence, raws.length)
  const lesson = hex(part.group.subarray(0, 8))
  raws.map(readRecord).forEach(({ kind, slot, subject, flags }, at) => {
    const key = `${slot} ${subject}`
    if (kind !== MINUTE || !shared.has(key)) return
    of(spans, key, () => []).push(...credited(flags, texts[at] as Bytes).map(([start, end]) => ({ start, end, lesson })))
  })
}

/** The lessons of spans that meet one of another lesson. */
function overlapping(spans: readonly Span[]): Set<string> {
  const found = new Set<string>()
  let [until, last] = [0, '']
  for (const { start, end, lesson } of [...spans].sort((a, b) => a.start - b.start || a.end - b.end)) {
    if (start < until && lesson !== last) found.add(lesson).add(last)
    if (end > until) [until, last] = [end, lesson]
  }
  return found
}
