import { describe, expect, it } from 'vitest'
import { addDesk } from '../ui/catalogue'
import { desk } from '../ui/catalogue/zh-CN.desk'
import type { RosterRow } from '../wire/types'
import { byAttention, count, counts, fits, inSight, isUncounted, search, standing, standingWords, type Known } from './attention'

addDesk({ 'zh-CN': desk, en: async () => Promise.resolve({}) })
const row = (seat: number, present: boolean, visible: boolean, more: Partial<RosterRow> = {}): RosterRow =>
  ({ person_id: `p${seat}`, seat, name: `名${seat}`, present, visible, came: present, why: null, credit_ms: 0, ...more })
const KNOWN: Known = { open: true, hands: new Set(['p5']), spoke: new Set(['p1']), lines: new Map([['p1', 'good'], ['p3', 'weak'], ['p5', 'none'], ['p2', 'none']]) }
const seats = (rows: readonly RosterRow[]) => rows.map((r) => r.seat)

describe('the class at a glance', () => {
  const roster = [row(1, true, true), row(2, false, false), row(3, true, false), row(4, false, false, { came: true }), row(5, true, true), row(6, true, true, { why: 'idle' })]

  it('shows first who needs a look, and whose hand is up before all', () => {
    expect(seats(byAttention(roster))).toEqual([3, 6, 4, 1, 5, 2])
    expect(seats(byAttention(roster, KNOWN.hands))).toEqual([5, 3, 6, 4, 1, 2])
  })
  it('is counted', () => { expect(count(roster)).toEqual({ front: 3, behind: 1, away: 2, all: 6 }) })
  it('is filtered', () => {
    const shown = (filter: Parameters<typeof fits>[1]) => seats(roster.filter((r) => fits(r, filter, KNOWN)))
    expect(shown('all')).toEqual([1, 2, 3, 4, 5, 6])
    expect(shown('front')).toEqual([1, 5])
    expect(shown('uncounted')).toEqual([2, 3, 4, 6])
    expect(shown('hand')).toEqual([5])
    expect(shown('quiet')).toEqual([3, 5, 6]) // who is not there is not asked for a word
    expect(shown('weak')).toEqual([3, 5]) // nor for a better line
    expect(counts(roster, KNOWN)).toEqual({ all: 6, front: 2, uncounted: 4, hand: 1, quiet: 3, weak: 2 })
    expect(counts(roster, { ...KNOWN, spoke: null }).quiet).toBe(0)
  })
  it('says of nobody that nothing counts while nothing could', () => {
    expect(roster.filter((r) => isUncounted(r, false))).toEqual([])
    expect(standingWords(row(3, true, false), false)).toBe('在后台')
  })
  it('names what is not credited in the words of the record', () => {
    expect(standingWords(row(1, true, true), true)).toBe('在前台')
    expect(standingWords(row(1, true, false, { why: 'hidden' }), true)).toBe('未计：页面切到后台')
    expect(standingWords(row(1, true, false), true)).toBe('未计：页面切到后台')
    expect(standingWords(row(1, true, true, { why: 'blurred' }), true)).toBe('未计：窗口失焦')
    expect(standingWords(row(1, false, false, { came: true }), true)).toBe('未计：网络断开')
    expect(standingWords(row(1, false, false), true)).toBe('未计：未在课堂')
    expect(standing(row(1, false, true))).toBe('away')
  })
})

describe('searching', () => {
  const roster = [{ ...row(1, true, true), name: '王芳' }, { ...row(12, true, true), name: '李芳' }, { ...row(2, true, true), name: 'Ana Li' }]
  it('finds by seat, by any part of a name, and everybody by nothing', () => {
    expect(seats(search(roster, '1'))).toEqual([1, 12])
    expect(seats(search(roster, ' 12 '))).toEqual([12])
    expect(seats(search(roster, '芳'))).toEqual([1, 12])
    expect(seats(search(roster, 'li'))).toEqual([2])
    expect(seats(search(roster, '  '))).toEqual([1, 12, 2])
  })
})

describe('a long list', () => {
  it('draws what is in sight and a little more', () => {
    expect(inSight(0, 400, 40, 2_000)).toEqual({ from: 0, to: 14 })
    expect(inSight(40_000, 400, 40, 2_000)).toEqual({ from: 996, to: 1_014 })
    expect(inSight(79_600, 400, 40, 2_000)).toEqual({ from: 1_986, to: 2_000 })
  })
  it('stays within a list that has become short', () => {
    expect(inSight(79_600, 400, 40, 3)).toEqual({ from: 3, to: 3 })
    expect(inSight(-20, 400, 40, 3)).toEqual({ from: 0, to: 3 })
    expect(inSight(0, 400, 40, 0)).toEqual({ from: 0, to: 0 })
  })
})
