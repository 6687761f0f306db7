/** Decides what challenges vouch for: confirmed, pending, or refused for one reason; the same as server/verify/vouched.py. */
export type Span = readonly [start: number, end: number]

/** Why a recorded millisecond does not count. */
export type Refusal = 'challenge_missed' | 'identity_failed'

/** An outcome and its ledger millisecond. */
export interface Happened { atMs: number; outcome: number }

/** Outcomes by their numbers: issued, passed, failed, timed out, silent, blocked, paused, resumed, withdrawn. */
export const ISSUED = 1
export const PASSED = 2
export const FAILED = 3
export const PAUSED = 7
export const RESUMED = 8
export const WITHDRAWN = 9
const VOIDS: ReadonlyMap<number, Refusal> = new Map([[FAILED, 'identity_failed'], [4, 'challenge_missed'], [5, 'challenge_missed'], [6, 'challenge_missed']])
/** While one of these is the last that happened, a challenge waits for its answer. */
const WAITING = new Set([ISSUED, PAUSED, RESUMED])

export interface Vouched { confirmed: Span[]; pending: Span[]; refused: Map<Refusal, Span[]>; blocked: Refusal | null }

/**
 * What counts of `recorded` (in order, disjoint) after what happened (in order). `limitMs`: the longest recorded time
 * between two passes, null without challenges; `settled`: the lesson is over and no challenge waits.
 */
export function vouch(recorded: readonly Span[], happened: readonly Happened[], limitMs: number | null, settled: boolean): Vouched {
  const found: Vouched = { confirmed: [], pending: [], refused: new Map(), blocked: null }
  if (limitMs === null) return { ...found, confirmed: [...recorded] }
  let since = 0
  for (const { atMs, outcome } of happened.filter(decides)) {
    const why = found.blocked ?? VOIDS.get(outcome) ?? null
    take(found, between(recorded, since, atMs), why, limitMs)
    found.blocked = outcome === PASSED ? null : why
    since = Math.max(since, atMs)
  }
  const rest = between(recorded, since, endOf(recorded))
  if (found.blocked || settled) take(found, rest, found.blocked, limitMs)
  else found.pending.push(...rest)
  return found
}

export const voids = (one: Happened): boolean => VOIDS.has(one.outcome)
const decides = (one: Happened): boolean => one.outcome === PASSED || voids(one)
const endOf = (spans: readonly Span[]): number => spans[spans.length - 1]?.[1] ?? 0

/** Take a stretch that ends with a pass or the end, or that something voids. */
function take(found: Vouched, part: readonly Span[], why: Refusal | null, limitMs: number): void {
  if (why) {
    found.refused.set(why, [...(found.refused.get(why) ?? []), ...part])
    return
  }
  const [vouched, beyond] = split(part, limitMs)
  found.confirmed.push(...vouched)
  found.pending.push(...beyond)
}

/** Whether a challenge waits for its answer. */
export const isWaiting = (happened: readonly Happened[]): boolean => WAITING.has(happened[happened.length - 1]?.outcome ?? 0)

/** The part of spans within [start, end). */
export const between = (spans: readonly Span[], start: number, end: number): Span[] =>
  spans.filter(([a, b]) => a < end && b > start).map(([a, b]) => [Math.max(a, start), Math.min(b, end)])

/** The first `ms` milliseconds of spans, and the others. */
function split(spans: readonly Span[], ms: number): [Span[], Span[]] {
  const [first, others]: [Span[], Span[]] = [[], []]
  for (const [start, end] of spans) {
    const cut = Math.min(end, start + ms)
    ms -= cut - start
    if (start < cut) first.push([start, cut])
    if (cut < end) others.push([cut, end])
  }
  return [first, others]
}
