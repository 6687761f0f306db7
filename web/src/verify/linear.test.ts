import { describe, expect, it } from 'vitest'
import { reached, type Handover } from './handover'
import type { Key } from './notes'
import { outOfOrder } from './schedule'
import { ISSUED, PASSED, type Happened } from './vouched'
import { seenInTime } from './witnessed'

/** How often something of what was made for this size is looked at. */
type Work = (size: number, told: () => void) => void

/** A list that tells when one of its places is read. */
const watched = <T>(list: T[], told: () => void): T[] => new Proxy(list, {
  get(target, name): unknown {
    told()
    return Reflect.get(target, name)
  },
})

const follow: Work = (size, told) => {
  const key = (at: number): Key => ({ get line() { told(); return String(at) } }) as Key
  const chain = Array.from({ length: size }, (_, at): Handover => ({ before: key(at), after: key(at + 1), size: 0, succeeds: false }))
  expect(reached([key(0)], chain.reverse()).length).toBe(size + 1)
}
const ask: Work = (size, told) => {
  const happened = Array.from({ length: size }, (_, at): Happened => ({ atMs: at, outcome: at % 2 ? PASSED : ISSUED }))
  expect(outOfOrder(watched(happened, told), { limitMs: 1, answerMs: 1 })).toEqual([])
}
const witness: Work = (size, told) => {
  const times = watched(Array.from({ length: size }, (_, at) => ({ size: at + 1, atS: (at + 1) * 60 })), told)
  for (let slot = 0; slot < size; slot++) expect(seenInTime(slot, 0, times)).toBe(true)
}

const steps = (work: Work, size: number): number => {
  let count = 0
  work(size, () => { count += 1 })
  return count
}

describe('what is done for each', () => {
  it.each([follow, ask, witness])('is done once: twice as many take twice the steps', (work) => {
    expect(steps(work, 600)).toBeLessThan(6 * steps(work, 150))
  })
})
