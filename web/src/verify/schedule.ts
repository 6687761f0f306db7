/** Decides when a trainee is to be challenged, and who was asked at another time; the same as server/verify/schedule.py. */
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { sumOf } from './sums'
import type { Bytes } from './tree'
import { between, FAILED, ISSUED, isWaiting, PASSED, PAUSED, RESUMED, voids, type Happened, type Span } from './vouched'

export const SEED_BYTES = 32
/** A hole that costs nothing, and a beat. */
const LATE_MS = 70_000
/** So much sooner, and so much later than due an honest server may seem to ask. */
const SOONER_MS = LATE_MS + 60_000 + 10_000
const LATER_MS = LATE_MS + 60_000 + 20_000 + 6_000 + 120_000
const SHARE_BITS = BigInt(32)

/** What a lesson's seed was committed with: the longest recorded time between two passes, the time to answer. */
export interface Rule { limitMs: number; answerMs: number }

/** `delayed`: later than the seed says, while nothing could be sealed: no fault of the order. */
export type Off = 'shifted' | 'skipped' | 'delayed'

/** After so many recorded milliseconds since the last pass (or the entry) a trainee's nth challenge comes. */
function dueAfter(seed: Bytes, person: string, number: number, { limitMs, answerMs }: Rule): number {
  const drawn = hmac(sha256, seed, new TextEncoder().encode(`${person}:${number}`))
  const share = new DataView(drawn.buffer, drawn.byteOffset).getUint32(0)
  const earliest = Math.floor(limitMs / 3)
  return earliest + Number((BigInt(share) * BigInt(limitMs - answerMs - LATE_MS - earliest)) >> SHARE_BITS)
}

/** When something happened that cannot follow what was before, or an answer was taken after its time. */
export function outOfOrder(happened: readonly Happened[], rule: Rule): number[] {
  let [askedMs, before] = [Infinity, [] as Happened[]]
  return happened.filter((one) => {
    const wrong = !mayFollow(before, one) || (isAnswer(one) && one.atMs > askedMs + rule.answerMs)
    before = [one]
    if (one.outcome === ISSUED || one.outcome === RESUMED) askedMs = one.atMs
    return wrong
  }).map((one) => one.atMs)
}

const isAnswer = (one: Happened): boolean => one.outcome === PASSED || one.outcome === FAILED

function mayFollow(before: readonly Happened[], one: Happened): boolean {
  if ((one.outcome === ISSUED) === isWaiting(before)) return false
  return !isAnswer(one) || before[before.length - 1]?.outcome !== PAUSED
}

/** What the seed says of a trainee: what was recorded and what happened, each in order; when nothing could be written. */
export interface Course { seed: Bytes; person: string; rule: Rule; recorded: readonly Span[]; happened: readonly Happened[]; hindered: readonly Span[] }

/** When they were asked at another time than the seed says, or were due and not asked until the end. */
export function offSchedule({ seed, person, rule, recorded, happened, hindered }: Course): { atMs: number; off: Off }[] {
  const found: { atMs: number; off: Off }[] = []
  let [sinceMs, number, clear] = [0, 1, true]
  const look = (endMs: number, askedMs: number | null): void => { found.push(...offOf(between(recorded, sinceMs, endMs), dueAfter(seed, person, number, rule), hindered, askedMs)) }
  for (const one of happened) {
    const asked = one.outcome === ISSUED
    if (asked && clear) look(one.atMs, one.atMs)
    if (asked) number += 1
    if (one.outcome === PASSED) sinceMs = one.atMs
    clear = isClear(one, clear)
  }
  if (clear && recorded.length) look(endOf(recorded), null)
  return found
}

/** Whether the next challenge is due by the seed: nobody is asked, and nothing was voided since the last pass. */
const isClear = (one: Happened, before: boolean): boolean => one.outcome === PASSED || (before && one.outcome !== ISSUED && !voids(one))
const endOf = (spans: readonly Span[]): number => spans[spans.length - 1]?.[1] ?? 0

/** What is wrong with a challenge that was due after `dueMs` of this time and came at its end, or never. */
function offOf(spent: readonly Span[], dueMs: number, hindered: readonly Span[], askedMs: number | null): { atMs: number; off: Off }[] {
  const totalMs = lengthOf(spent)
  if (askedMs !== null && totalMs < dueMs - SOONER_MS) return [{ atMs: askedMs, off: 'shifted' }]
  if (totalMs <= dueMs + LATER_MS) return []
  const freeMs = totalMs - sumOf(hindered.map(([start, end]) => lengthOf(between(spent, start, end))))
  if (freeMs <= dueMs + LATER_MS) return [{ atMs: momentOf(spent, dueMs), off: 'delayed' }]
  return [askedMs === null ? { atMs: momentOf(spent, dueMs), off: 'skipped' } : { atMs: askedMs, off: 'shifted' }]
}

export const lengthOf = (spans: readonly Span[]): number => sumOf(spans.map(([start, end]) => end - start))

/** When so much of it was spent. */
function momentOf(spent: readonly Span[], ms: number): number {
  let left = ms
  for (const [start, end] of spent) {
    if (left <= end - start) return start + left
    left -= end - start
  }
  return endOf(spent)
}
