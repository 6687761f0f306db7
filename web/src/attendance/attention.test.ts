import { describe, expect, it } from 'vitest'
import type { AttentionRule } from '../wire/types'
import { Attention } from './attention'

const BOTH: AttentionRule = { focus: true, idle_ms: 300_000 }
const made = (rule: AttentionRule | null = BOTH) => new Attention(rule, 1_000, 1_000)

describe('attention', () => {
  it('is not told where nothing is asked', () => {
    const one = made(null)
    expect(one.look(false, false, 2_000)).toBe(false)
    expect(one.said(900_000)).toBeNull()
    expect(one.notice(900_000)).toBeNull()
  })
  it('is whole while there is focus and somebody moves', () => {
    const one = made()
    expect(one.look(true, true, 200_000)).toBe(false)
    expect(one.said(400_000)).toEqual({ focused: [[1_000, 400_000]], active: [[1_000, 400_000]] })
    expect(one.notice(400_000)).toBeNull()
  })
  it('is lost with the focus, at once, and back with it', () => {
    const one = made()
    expect(one.look(false, false, 5_000)).toBe(true)
    expect(one.notice(5_000)).toBe('blurred_now')
    expect(one.look(false, false, 6_000)).toBe(false)
    expect(one.look(true, true, 9_000)).toBe(true)
    expect(one.notice(9_000)).toBeNull()
    expect(one.said(11_000)).toEqual({ focused: [[1_000, 5_000], [9_000, 11_000]], active: [[1_000, 11_000]] })
  })
  it('ends when the time without a sign is over, however late that is looked at', () => {
    const one = made()
    expect(one.look(true, false, 350_000)).toBe(true)
    expect(one.notice(350_000)).toBe('idle_now')
    expect(one.look(true, true, 360_000)).toBe(true)
    expect(one.said(370_000)).toEqual({ focused: [[1_000, 370_000]], active: [[1_000, 301_000], [360_000, 370_000]] })
  })
  it('warns a minute before, or at half of a short time', () => {
    expect(made().notice(240_999)).toBeNull()
    expect(made().notice(241_000)).toBe('idle_soon')
    const short = made({ focus: false, idle_ms: 10_000 })
    expect([short.notice(5_999), short.notice(6_000)]).toEqual([null, 'idle_soon'])
    short.look(true, true, 6_500)
    expect(short.notice(6_500)).toBeNull()
  })
  it('says nothing of what the scheme does not ask for', () => {
    const one = made({ focus: false, idle_ms: 300_000 })
    expect(one.look(false, false, 5_000)).toBe(false)
    expect(one.notice(5_000)).toBeNull()
    const other = made({ focus: true, idle_ms: null })
    expect(other.look(true, false, 10 ** 9)).toBe(false)
    expect(other.notice(10 ** 9)).toBeNull()
  })
  it('forgets what was told', () => {
    const one = made()
    one.look(false, false, 5_000)
    one.look(true, false, 9_000)
    one.forget(10_000)
    expect(one.said(12_000)).toEqual({ focused: [[10_000, 12_000]], active: [[10_000, 12_000]] })
  })
})
