/** Decides what challenges left of recorded minutes, from the log's records alone; the same as server/verify/challenges.py. */
import { evidenceOf, RECORD_BYTES, type Bundle, type GroupPart } from './bundle'
import { CHALLENGE_OUTCOME, isKnown, MINUTE, readRecord, type Rec } from './formats'
import { credited } from './minutes'
import { hex } from './notes'
import { plus, of, sumOf } from './sums'
import { pieces, same, type Bytes } from './tree'
import { between, isWaiting, vouch, WITHDRAWN, type Happened, type Refusal, type Span, type Vouched } from './vouched'

const MINUTE_MS = 60_000

/** What the log says of a lesson. */
export interface Said { lesson: string; record: Rec }

/** What does not count of what a trainee recorded in a lesson: so much, not yet or for which reason. */
export interface Left { ms: number; pendingMs: number; refusedMs: Map<Refusal, number> }

export interface Uncounted {
  /** Recorded milliseconds that do not count, by lesson, trainee and minute. */
  byMinute: Map<string, number>
  /** The same by lesson and trainee, with why. */
  left: Map<string, Left>
  /** Records that contradict each other: another seed or limit than was committed to, or steps that are missing. */
  wrong: { slot: number; lesson: string; person: string }[]
}

/** `ended`: the lessons that are over. */
export function uncounted(bundle: Bundle, said: readonly Said[], ended: ReadonlySet<string>): Uncounted {
  const found: Uncounted = { byMinute: new Map(), left: new Map(), wrong: [] }
  const seeds = seedsOf(said, found)
  const happened = happenedTo(said, seeds, found)
  for (const [pair, spans] of recorded(bundle, seeds)) {
    const [lesson = ''] = pair.split(' ')
    const events = happened.get(pair) ?? []
    const limitMs = (seeds.get(lesson)?.flags ?? 0) * 1000
    const counts = vouch(inOrder(spans), events, limitMs, ended.has(lesson) && !isWaiting(events))
    const lost = spans.map((span) => lostOf(span, counts))
    for (const { minute, ms } of lost) plus(found.byMinute, `${pair} ${minute}`, ms)
    found.left.set(pair, leftOf(counts, sumOf(lost.map((one) => one.ms))))
  }
  return found
}

/** What does not count of a span, and in which minute. */
function lostOf([start, end]: Span, counts: Vouched): { minute: number; ms: number } {
  return { minute: Math.floor(start / MINUTE_MS), ms: end - start - lengthOf(between(counts.confirmed, start, end)) }
}

function leftOf({ pending, refused }: Vouched, ms: number): Left {
  return { ms, pendingMs: lengthOf(pending), refusedMs: new Map([...refused].map(([why, parts]) => [why, lengthOf(parts)])) }
}

const inOrder = (spans: readonly Span[]): Span[] => [...spans].sort((a, b) => a[0] - b[0] || a[1] - b[1])
const lengthOf = (spans: readonly Span[]): number => sumOf(spans.map(([start, end]) => end - start))

/** The first seed of each lesson; another one, or another limit, is wrong. */
function seedsOf(said: readonly Said[], found: Uncounted): Map<string, Rec> {
  const seeds = new Map<string, Rec>()
  for (const { lesson, record } of said.filter((one) => one.record.kind !== CHALLENGE_OUTCOME)) {
    const known = of(seeds, lesson, () => record)
    if (!same(known.evidence, record.evidence) || known.flags !== record.flags) found.wrong.push({ slot: record.slot, lesson, person: record.subject })
  }
  return seeds
}

/** What happened to each trainee in each lesson, step by step. */
function happenedTo(said: readonly Said[], seeds: ReadonlyMap<string, Rec>, found: Uncounted): Map<string, Happened[]> {
  const steps = new Map<string, Rec[]>()
  for (const { lesson, record } of said.filter((one) => one.record.kind === CHALLENGE_OUTCOME)) of(steps, `${lesson} ${record.subject}`, () => []).push(record)
  return new Map([...steps].map(([pair, mine]) => {
    const [lesson = '', person = ''] = pair.split(' ')
    mine.sort((a, b) => a.seq - b.seq)
    if (!follow(mine, seeds.get(lesson)?.flags)) found.wrong.push({ slot: mine[0]?.slot ?? -1, lesson, person })
    return [pair, mine.filter(isOutcome).map((one) => ({ atMs: atMs(one), outcome: one.mode }))]
  }))
}

const isOutcome = (one: Rec): boolean => one.mode >= 1 && one.mode <= WITHDRAWN
const atMs = (one: Rec): number => one.slot * MINUTE_MS + one.creditMs

/** Whether no step is missing, none lies before the one before it, and all were made under the one limit. */
function follow(mine: readonly Rec[], limitS: number | undefined): boolean {
  return mine.every((one, at) => {
    const before = mine[at - 1]
    return one.seq === at + 1 && isOutcome(one) && one.flags === limitS && (!before || atMs(before) <= atMs(one))
  })
}

/** The recorded spans of trainees in these lessons. */
function recorded(bundle: Bundle, lessons: ReadonlyMap<string, unknown>): Map<string, Span[]> {
  const found = new Map<string, Span[]>()
  for (const part of bundle.leaves.flatMap((leaf) => leaf.groups)) {
    const lesson = hex(part.group.subarray(0, 8))
    if (!lessons.has(lesson)) continue
    for (const { record, text } of minutes(part)) {
      const base = record.slot * MINUTE_MS
      of(found, `${lesson} ${record.subject}`, () => []).push(...credited(record.flags, text).map(([start, end]): Span => [base + start, base + end]))
    }
  }
  return found
}

/** The minutes of trainees; a record of an unknown version is named elsewhere. */
function minutes(part: GroupPart): { record: Rec; text: Bytes }[] {
  const raws = pieces(part.records, RECORD_BYTES)
  const texts = evidenceOf(part.evidence, raws.length)
  return raws.map((raw, at) => ({ record: readRecord(raw), text: texts[at] as Bytes })).filter(({ record }) => record.kind === MINUTE && isKnown(record))
}
