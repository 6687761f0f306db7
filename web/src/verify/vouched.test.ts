import { describe, expect, it } from 'vitest'
import cases from '../../../tests/verify/vouched.json'
import { isWaiting, vouch, type Happened, type Span } from './vouched'

const steps = (pairs: readonly number[][]): Happened[] => pairs.map(([atMs = 0, outcome = 0]) => ({ atMs, outcome }))

describe('what challenges vouch for', () => {
  it('is in all stored cases what the server counts', () => {
    expect(cases.length).toBe(200)
    for (const one of cases) {
      const happened = steps(one.happened)
      const { confirmed, pending, refused, blocked } = vouch(one.recorded as unknown as Span[], happened, one.limit_ms, one.settled)
      expect({ confirmed, pending, refused: Object.fromEntries(refused), blocked, waits: isWaiting(happened) }, JSON.stringify(one)).toEqual(one.said)
    }
  })
})
