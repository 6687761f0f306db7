import { describe, expect, it } from 'vitest'
import { addDesk } from '../ui/catalogue'
import { desk } from '../ui/catalogue/zh-CN.desk'
import type { NetworkRow } from '../wire/types'
import { counted, noteOf } from './network'

addDesk({ 'zh-CN': desk, en: async () => Promise.resolve({}) })
const row = (part: Partial<NetworkRow> = {}): NetworkRow => ({ person_id: 'p', state: 'good', direct: true, kbps: 900, loss_percent: 1.2, jitter_ms: 5, round_trip_ms: 30, ...part })

describe('a trainee’s line', () => {
  it('has its figures behind a word', () => {
    expect(noteOf(row()).label).toBe('网络良好')
    expect(noteOf(row()).more).toContain('丢包 1.2%')
    expect(noteOf(row()).more).toContain('往返 30 毫秒')
  })
  it('says no more than is known', () => {
    expect(noteOf(row({ round_trip_ms: null })).more).not.toContain('往返')
    expect(noteOf(row({ loss_percent: null })).more).not.toContain('丢包')
    expect(noteOf(row({ direct: false, loss_percent: null, jitter_ms: null, round_trip_ms: null })).more).toContain('兼容方式')
  })
  it.each(['weak', 'none'] as const)('is never held against anybody: %s', (state) => {
    expect(noteOf(row({ state, direct: false, kbps: 0 })).more).toContain('不影响学时')
  })
  it('is counted', () => { expect(counted([row(), row({ state: 'weak' }), row({ state: 'none' }), row()])).toEqual({ good: 2, weak: 1, none: 1 }) })
})
