import { describe, expect, it } from 'vitest'
import { edge } from './edge'

describe('the live edge', () => {
  it('is kept without a jump', () => {
    expect(edge(10, 0, 10.5)).toEqual({ jump: null, rate: 1 })
    expect(edge(10, 0, 11.5).rate).toBeGreaterThan(1)
    expect(edge(10, 0, 10.1).rate).toBeLessThan(1)
  })
  it('is jumped to from before the first part, and from more than three seconds behind', () => {
    expect(edge(0, 100, 100.2).jump).toBe(100)
    expect(edge(10, 0, 13.5).jump).toBeCloseTo(13.05)
    expect(edge(20, 0, 13.5).jump).toBeCloseTo(13.05)
  })
})
