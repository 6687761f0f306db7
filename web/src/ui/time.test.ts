import { describe, expect, it } from 'vitest'
import { clock, fromLocal, hourMinute, isoDay, minutes } from './time'

describe('times', () => {
  it('are those of Shanghai', () => {
    expect(hourMinute('2026-11-23T01:14:59.999Z')).toBe('09:14')
    expect(hourMinute('2026-11-22T16:00:00Z')).toBe('00:00')
    expect(isoDay('2026-11-22T16:00:00Z')).toBe('2026-11-23')
    expect(clock(0)).toBe('08:00')
  })
  it('go back to UTC', () => { expect(fromLocal('2026-11-23T09:00')).toBe('2026-11-23T01:00:00.000Z') })
  it('count whole minutes', () => { expect([minutes(59_999), minutes(60_000)]).toEqual([0, 1]) })
})
