import { describe, expect, it } from 'vitest'
import { Edge } from './edge'

/** Milliseconds; positions in seconds. */
const PART = 200, STEP = 10, LOOK = 250
interface Seen { seconds: number; behind: number; dry: boolean }

/** Each part as late as `late` says by the second it begins at, never before the one before it. */
const arriving = (seconds: number, late: (at: number) => number, young: number) => {
  let arrived = 0
  return [...Array(Math.round((seconds * 1000 + young) / PART)).keys()].map((number) => number * PART - young)
    .map((begins) => ({ ends: begins + PART, at: arrived = Math.max(arrived, begins + PART + late(begins / 1000)) }))
}
/** Plays for so long what arrives. The source's time is a thousand seconds ahead. */
const played = (seconds: number, late: (at: number) => number, edge = new Edge(), young = 0): Seen[] => {
  const parts = arriving(seconds, late, young)
  const start = 1000 - young / 1000
  const seen: Seen[] = []
  let end = start, position = 0, rate = 1
  const take = (now: number) => {
    const fresh = parts.filter(({ at }) => at >= now && at < now + STEP)
    if (fresh.length > 0 && end > start) edge.mark(now, end)
    end = Math.max(end, 1000 + (fresh.at(-1)?.ends ?? -Infinity) / 1000)
  }
  const look = (now: number) => {
    const told = edge.look(now, position, start, end)
    position = told.jump ?? position
    rate = told.rate
  }
  edge.reset()
  for (let now = 0; now < seconds * 1000; now += STEP) {
    take(now)
    if (end > start && now % LOOK === 0) look(now)
    const dry = position + STEP / 1000 > end
    if (!dry && position > 0) position += STEP / 1000 * rate
    seen.push({ seconds: now / 1000, behind: now / 1000 + 1000 - position, dry })
  }
  return seen
}
const after = (seen: Seen[], from: number, to = Infinity) => seen.filter(({ seconds }) => seconds >= from && seconds < to)
const dryIn = (seen: Seen[]) => seen.filter(({ dry }) => dry).length * STEP / 1000
const behindIn = (seen: Seen[]) => seen.map(({ behind }) => behind).sort((a, b) => a - b)[Math.floor(seen.length / 2)] ?? NaN

describe('the live edge', () => {
  it.each([0, 600, 1_400])('is kept within a part and a little on an even line, whoever begins %s ms before it', (young) => {
    const seen = played(20, () => 20, new Edge(), young)
    expect(dryIn(after(seen, 5))).toBe(0)
    expect(behindIn(after(seen, 5))).toBeLessThan(0.4)
    expect(behindIn(after(seen, 5))).toBeGreaterThan(0.2)
  })
  it('is kept as far away as the latest parts are late, and no part is missed', () => {
    const seen = played(60, (at) => (Math.round(at * 5) % 5 === 0 ? 800 : 0))
    expect(dryIn(after(seen, 10))).toBe(0)
    expect(behindIn(after(seen, 20))).toBeGreaterThan(1)
    expect(behindIn(after(seen, 20))).toBeLessThan(1.3)
  })
  it('is come back to after one gap, faster by no more than a tenth', () => {
    const seen = played(90, (at) => (at > 20 && at < 21 ? 1_500 : 0))
    expect(dryIn(after(seen, 20, 30))).toBeGreaterThan(0.5)
    expect(dryIn(after(seen, 30))).toBe(0)
    expect(behindIn(after(seen, 80))).toBeLessThan(1.2)
  })
  it('is kept further away on a line with a gap now and then: the next one is bridged', () => {
    const seen = played(80, (at) => (at > 10 && at % 20 < 0.5 ? 1_000 : 0))
    expect(dryIn(after(seen, 19, 25))).toBeGreaterThan(0.5)
    expect(dryIn(after(seen, 25))).toBe(0)
  })
  it('forgets in time what it learned of a line that is even now', () => {
    const edge = new Edge()
    played(30, (at) => (at > 10 && at % 5 < 0.5 ? 1_000 : 0), edge)
    expect(edge.goal).toBeGreaterThan(0.5)
    expect(behindIn(after(played(150, () => 0, edge), 140))).toBeLessThan(0.5)
  })
  it('is jumped to from before the first part, from behind the last and from far away', () => {
    expect(new Edge().look(0, 0, 100, 100.2).jump).toBe(100)
    expect(new Edge().look(0, 20, 0, 13.5).jump).toBeCloseTo(13.18)
    expect(new Edge().look(0, 10, 0, 13.5).jump).toBeCloseTo(13.38)
    expect(new Edge().look(0, 10, 0, 13).jump).toBeNull()
  })
  it('is not judged by a line that was gone for long', () => {
    const edge = new Edge()
    played(40, (at) => (at > 10 && at < 11 ? 8_000 : 0), edge)
    expect(edge.goal).toBeLessThan(0.2)
  })
})
