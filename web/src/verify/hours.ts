/** Decides how time that counts becomes class hours under a scheme; the same as server/verify/hours.py. */
import { of, sumOf } from './sums'
import { Refused } from './tree'

export const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS
const DAY_MINUTES = 24 * 60
/** The day of a minute is that of UTC+8 all the year. */
const LOCAL_MINUTES = 8 * 60

/** What a scheme says of class hours; null: it does not say so, and nothing follows. */
export interface Rules { classHourMs: number; rounding: 'down' | 'nearest'; dailyCapMs: number | null; shortestMs: number | null; completePercent: number | null; lateMs: number | null }

/** A trainee's lesson: how much counts of each unix minute after challenges and corrections; what was delivered since it opened; when the trainee came. */
export interface Attended { number: number; minutes: ReadonlyMap<number, number>; openMs: number; openedMs: number; firstMs: number | null }

/** What a scheme makes of a lesson: what counts, what lies beyond the day's cap, and in stretches too short. */
export interface LessonSettled { number: number; confirmedMs: number; cappedMs: number; shortMs: number; complete: boolean | null; late: boolean | null }

export interface Settled { classHours: number; remainderMs: number; confirmedMs: number; cappedMs: number; shortMs: number; lessons: LessonSettled[] }

/** What a scheme's parameters say of class hours. Throws Refused. */
export function rulesOf(parameters: Readonly<Record<string, unknown>>): Rules {
  const rounding = (parameters['rounding'] ?? 'down') === 'floor' ? 'down' : (parameters['rounding'] ?? 'down')
  if ((rounding !== 'down' && rounding !== 'nearest') || parameters['rounding'] === null) throw new Refused('rounding: down or nearest')
  const said = (name: string, least: number, most: number): number | null => {
    const value = parameters[name] ?? null
    if (value !== null && (!Number.isSafeInteger(value) || (value as number) < least || (value as number) > most)) throw new Refused(`${name}: a whole number from ${least} to ${most}`)
    return value as number | null
  }
  const classHourMs = said('class_hour_ms', 1, DAY_MS)
  if (classHourMs === null) throw new Refused('class_hour_ms: milliseconds are expected')
  return { classHourMs, rounding, dailyCapMs: said('daily_cap_ms', 1, DAY_MS), shortestMs: said('shortest_ms', 1, DAY_MS), completePercent: said('complete_percent', 1, 100), lateMs: said('late_ms', 0, DAY_MS) }
}

/** Class hours of so much time, and the milliseconds left over; nothing is left over of what was rounded up. */
export function divided({ classHourMs, rounding }: Rules, ms: number): { classHours: number; remainderMs: number } {
  const half = rounding === 'nearest' ? classHourMs : 0
  const classHours = Math.floor((2 * ms + half) / (2 * classHourMs))
  return { classHours, remainderMs: Math.max(0, ms - classHours * classHourMs) }
}

interface Part { one: Attended; kept: ReadonlyMap<number, number>; counts: ReadonlyMap<number, number> }

/** What counts of a trainee's class, in any order of lessons. */
export function settle(rules: Rules, attended: readonly Attended[]): Settled {
  const lessons = partsOf(rules, attended).map((part) => settled(rules, part))
  const all = (of: (one: LessonSettled) => number): number => sumOf(lessons.map(of))
  const confirmedMs = all((one) => one.confirmedMs)
  return { ...divided(rules, confirmedMs), confirmedMs, cappedMs: all((one) => one.cappedMs), shortMs: all((one) => one.shortMs), lessons }
}

function settled(rules: Rules, { one, kept, counts }: Part): LessonSettled {
  const [confirmedMs, keptMs] = [sumOf(counts.values()), sumOf(kept.values())]
  const complete = rules.completePercent === null || one.openMs <= 0 ? null : confirmedMs * 100 >= rules.completePercent * one.openMs
  const late = rules.lateMs === null || one.firstMs === null ? null : one.firstMs - one.openedMs > rules.lateMs
  return { number: one.number, confirmedMs, cappedMs: keptMs - confirmedMs, shortMs: sumOf(one.minutes.values()) - keptMs, complete, late }
}

/** Lessons in order of number, what is in stretches long enough, and what of it counts. */
function partsOf(rules: Rules, attended: readonly Attended[]): Part[] {
  const parts = [...attended].sort((a, b) => a.number - b.number).map((one) => ({ one, kept: longEnough(rules.shortestMs ?? 0, one.minutes), counts: new Map<number, number>() }))
  const order = parts.flatMap(({ kept, counts }, at) => [...kept].map(([slot, ms]) => ({ slot, at, ms, counts })))
  order.sort((a, b) => a.slot - b.slot || a.at - b.at)
  const left = new Map<number, number>()
  for (const { slot, ms, counts } of order) {
    const day = dayOf(slot)
    const some = Math.min(ms, of(left, day, () => rules.dailyCapMs ?? Infinity))
    left.set(day, (left.get(day) as number) - some)
    counts.set(slot, some)
  }
  return parts
}

/** Minutes of stretches that last so long. A stretch is minutes on end in each of which something counts. */
function longEnough(shortestMs: number, minutes: ReadonlyMap<number, number>): Map<number, number> {
  const found = new Map<number, number>()
  let stretch: [slot: number, ms: number][] = []
  const close = (): void => {
    if (sumOf(stretch.map(([, ms]) => ms)) >= shortestMs) for (const [slot, ms] of stretch) found.set(slot, ms)
    stretch = []
  }
  for (const [slot, ms] of [...minutes].sort(([a], [b]) => a - b)) {
    if (slot !== (stretch[stretch.length - 1]?.[0] ?? NaN) + 1) close()
    if (ms) stretch.push([slot, ms])
  }
  close()
  return found
}

/** The local day of a unix minute, counted from 1970-01-01. */
export const dayOf = (slot: number): number => Math.floor((slot + LOCAL_MINUTES) / DAY_MINUTES)
