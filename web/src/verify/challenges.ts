/**
 * Decides what challenges left of recorded minutes, and whether they came as they must, from the log alone; the same as
 * server/verify/challenges.py.
 */
import { evidenceOf, RECORD_BYTES, type Bundle, type GroupPart } from './bundle'
import type { Code } from './findings'
import { CHALLENGE_SEED, COMMITTED, GAP, isKnown, LESSON_MINUTE, MINUTE, readLeaf, readRecord, REVEALED, type Rec } from './formats'
import { credited } from './minutes'
import { hex } from './notes'
import { lengthOf, offSchedule, outOfOrder, SEED_BYTES, type Off, type Rule } from './schedule'
import { of, plus, sumOf } from './sums'
import { pieces, Refused, same, type Bytes } from './tree'
import { between, isWaiting, vouch, WITHDRAWN, type Happened, type Refusal, type Span, type Vouched } from './vouched'

const MINUTE_MS = 60_000
/** A seed is in the log so many minutes after the last minute of its lesson at the latest. */
const SHOWN_WITHIN = 5
/** A minute is stored so long after it ends, and a store that hangs is first missed up to a minute before that. */
const HINDERED_AFTER_MS = 90_000 - MINUTE_MS
const CODES: Readonly<Record<Off, Code | null>> = { shifted: 'challenge_shifted', skipped: 'challenge_skipped', delayed: null }

/** What does not count of what a trainee recorded in a lesson: so much, not yet or for which reason. */
export interface Left { ms: number; pendingMs: number; refusedMs: Map<Refusal, number> }

export interface Wrong { code: Code; slot: number; lesson: string; person: string }

export interface Judged {
  /** Recorded milliseconds that do not count, by lesson, trainee and minute. */
  byMinute: Map<string, number>
  /** The same by lesson and trainee, with why. */
  left: Map<string, Left>
  wrong: Wrong[]
  /** How many challenges came late while nothing could be stored. */
  delayed: number
}

/** What the log says of a lesson: seeds with the minute of their leaf, steps by trainee; in which leaf each minute is. */
interface Lesson { seeds: { leaf: number; record: Rec }[]; steps: Map<string, Rec[]>; leaves: Map<number, number>; hindered: Span[]; recorded: Map<string, Span[]> }

/** What is known beside it: texts by their SHA-256, when lessons ended, the newest minute of the log. */
export interface Known { shown: ReadonlyMap<string, Bytes>; ended: ReadonlyMap<string, number>; until: number }

/** Taken record by record, then judged. */
export class Challenges {
  private readonly lessons = new Map<string, Lesson>()

  /** A record of challenges of a lesson in the leaf of this minute. */
  take(slot: number, lesson: string, record: Rec): void {
    const found = of(this.lessons, lesson, (): Lesson => ({ seeds: [], steps: new Map(), leaves: new Map(), hindered: [], recorded: new Map() }))
    if (record.kind === CHALLENGE_SEED) found.seeds.push({ leaf: slot, record })
    else of(found.steps, record.subject, () => []).push(record)
  }

  judged(bundle: Bundle, known: Known): Judged {
    readMinutes(bundle, this.lessons)
    const found: Judged = { byMinute: new Map(), left: new Map(), wrong: [], delayed: 0 }
    for (const [name, lesson] of this.lessons) {
      for (const steps of lesson.steps.values()) steps.sort((a, b) => a.seq - b.seq)
      found.wrong.push(...contradicting(name, lesson))
      if (!lesson.seeds.length) continue
      found.wrong.push(...falseSeeds(lesson, known, known.ended.get(name)).map((slot): Wrong => ({ code: 'seed_wrong', slot, lesson: name, person: '' })))
      count(found, name, lesson, known.ended.has(name))
      schedule(found, name, lesson, known.shown)
    }
    return found
  }
}

/** By which its trainees are asked. */
const ruleOf = ({ seeds: [first] }: Lesson): Rule => ({ limitMs: (first?.record.flags ?? 0) * 1000, answerMs: first?.record.creditMs ?? 0 })
const isOutcome = (one: Rec): boolean => one.mode >= 1 && one.mode <= WITHDRAWN
const atMs = (one: Rec): number => one.slot * MINUTE_MS + one.creditMs
const happenedTo = (lesson: Lesson, person: string): Happened[] => (lesson.steps.get(person) ?? []).filter(isOutcome).map((one) => ({ atMs: atMs(one), outcome: one.mode }))

/** Steps that are missing, without a seed, or made under another limit than its. */
function contradicting(name: string, lesson: Lesson): Wrong[] {
  return [...lesson.steps].filter(([, steps]) => !follow(steps, lesson)).map(([person, steps]) => ({ code: 'challenge_wrong', slot: steps[0]?.slot ?? -1, lesson: name, person }))
}

function follow(steps: readonly Rec[], lesson: Lesson): boolean {
  const limitMs = lesson.seeds.length ? ruleOf(lesson).limitMs : -1
  return steps.every((one, at) => {
    const before = steps[at - 1]
    return one.seq === at + 1 && isOutcome(one) && one.flags * 1000 === limitMs && (!before || atMs(before) <= atMs(one))
  })
}

/** The minutes of seeds that were not committed to before the lesson, or not shown as they were after it. */
function falseSeeds({ seeds, leaves }: Lesson, { shown, until }: Known, ended: number | undefined): number[] {
  const [first, ...others] = seeds
  if (!first) return []
  const isFalse = (one: Rec, at: number): boolean => at > 0 || one.slot < (ended ?? Infinity) || !repeats(one, first.record) || shown.get(hex(one.evidence))?.length !== SEED_BYTES
  const found = others.map(({ record }) => record).filter(isFalse).map((one) => one.slot)
  if (first.record.mode !== COMMITTED || first.leaf > (leaves.get(Math.min(...leaves.keys())) ?? Infinity)) found.push(first.record.slot)
  return others.length ? found : [...found, ...hiddenAt(leaves, until, ended)]
}

/** When a lesson ended whose seed should be in the log by now. */
function hiddenAt(leaves: ReadonlyMap<number, number>, until: number, ended: number | undefined): number[] {
  return ended !== undefined && leaves.size && until >= Math.max(...leaves.values()) + SHOWN_WITHIN ? [ended] : []
}

/** Whether a seed is shown as it was committed to. */
const repeats = (one: Rec, first: Rec): boolean => one.mode === REVEALED && same(one.evidence, first.evidence) && one.flags === first.flags && one.creditMs === first.creditMs

/** What challenges left of the recorded time of everybody. */
function count(found: Judged, name: string, lesson: Lesson, over: boolean): void {
  for (const [person, spans] of lesson.recorded) {
    const events = happenedTo(lesson, person)
    const counts = vouch(spans, events, ruleOf(lesson).limitMs, over && !isWaiting(events))
    const lost = spans.map((span) => lostOf(span, counts))
    for (const { minute, ms } of lost) plus(found.byMinute, `${name} ${person} ${minute}`, ms)
    found.left.set(`${name} ${person}`, leftOf(counts, sumOf(lost.map((one) => one.ms))))
  }
}

/** What does not count of a span, and in which minute. */
function lostOf([start, end]: Span, counts: Vouched): { minute: number; ms: number } {
  return { minute: Math.floor(start / MINUTE_MS), ms: end - start - lengthOf(between(counts.confirmed, start, end)) }
}

function leftOf({ pending, refused }: Vouched, ms: number): Left {
  return { ms, pendingMs: lengthOf(pending), refusedMs: new Map([...refused].map(([why, parts]) => [why, lengthOf(parts)])) }
}

/** Who was asked in another order or at another time than the seed says, as far as it is shown. */
function schedule(found: Judged, lesson: string, of: Lesson, shown: ReadonlyMap<string, Bytes>): void {
  const revealed = of.seeds.find(({ record }) => record.mode === REVEALED)
  const seed = revealed && shown.get(hex(revealed.record.evidence))
  for (const person of new Set([...of.recorded.keys(), ...of.steps.keys()])) {
    const [happened, rule] = [happenedTo(of, person), ruleOf(of)]
    const wrong = outOfOrder(happened, rule).map((at): Wrong => ({ code: 'challenge_wrong', slot: Math.floor(at / MINUTE_MS), lesson, person }))
    const off = seed ? offSchedule({ seed, person, rule, recorded: of.recorded.get(person) ?? [], happened, hindered: of.hindered }) : []
    found.delayed += off.filter((one) => CODES[one.off] === null).length
    found.wrong.push(...wrong, ...off.flatMap((one): Wrong[] => {
      const code = CODES[one.off]
      return code ? [{ code, slot: Math.floor(one.atMs / MINUTE_MS), lesson, person }] : []
    }))
  }
}

/** What the minutes of these lessons say. */
function readMinutes(bundle: Bundle, lessons: ReadonlyMap<string, Lesson>): void {
  for (const { leaf, groups } of bundle.leaves)
    for (const part of groups) {
      const lesson = lessons.get(hex(part.group.subarray(0, 8)))
      if (lesson) for (const { record, text } of minutes(part)) take(lesson, record, text, leaf)
    }
  for (const lesson of lessons.values()) {
    for (const spans of lesson.recorded.values()) spans.sort(inOrder)
    lesson.hindered = joined(lesson.hindered)
  }
}

const inOrder = (a: Span, b: Span): number => a[0] - b[0] || a[1] - b[1]

function take(lesson: Lesson, record: Rec, text: Bytes, leaf: Bytes): void {
  const base = record.slot * MINUTE_MS
  if (record.kind === LESSON_MINUTE) stored(lesson, record.slot, leaf)
  else of(lesson.recorded, record.subject, () => []).push(...credited(record.flags, text).map(([start, end]): Span => [base + start, base + end]))
}

/** In which leaf a lesson's minute is; one that came late or was sealed late could not be stored in time. */
function stored(lesson: Lesson, slot: number, raw: Bytes): void {
  try {
    const leaf = readLeaf(raw)
    lesson.leaves.set(slot, leaf.slot)
    if (leaf.slot > slot || leaf.flags & GAP) lesson.hindered.push([(slot + 1) * MINUTE_MS + HINDERED_AFTER_MS, leaf.sealedMs])
  } catch (error) {
    if (!(error instanceof Refused)) throw error
  }
}

/** In order, and no two of them overlap. */
function joined(spans: readonly Span[]): Span[] {
  const found: Span[] = []
  for (const [start, end] of [...spans].sort(inOrder)) {
    const begin = Math.max(start, found[found.length - 1]?.[1] ?? start)
    if (end > begin) found.push([begin, end])
  }
  return found
}

/** The minutes of a group, of its trainees and its own; a record of an unknown version is named elsewhere. */
function minutes(part: GroupPart): { record: Rec; text: Bytes }[] {
  const raws = pieces(part.records, RECORD_BYTES)
  const texts = evidenceOf(part.evidence, raws.length)
  const all = raws.map((raw, at) => ({ record: readRecord(raw), text: texts[at] as Bytes }))
  return all.filter(({ record }) => isKnown(record) && (record.kind === MINUTE || record.kind === LESSON_MINUTE))
}
