import { describe, expect, it } from 'vitest'
import type { Cell, ReasonMs } from '../../wire/types'
import { arrange, boxOf, draw, drawPlan, mainKind, slotAt, walk } from './geometry'
import { vouchedOf } from './vouched'

const cell = (slot: number, credit_ms: number, reasons: ReasonMs[] = [], sealed = true): Cell =>
  ({ slot, open_ms: credit_ms + reasons.reduce((s, r) => s + r.ms, 0), credit_ms, reasons, sealed, corrected_ms: null, pending_ms: 0, refused: [], cut: [], grade: 0, detail: null })
const count = (path: string | undefined) => (path?.match(/M/g) ?? []).length

describe('the tall form', () => {
  it('breaks 90 minutes into rows that a thumb can hit at 360 px', () => {
    const g = arrange(900, 989, 328, { rows: true, cellHeight: 28 })
    expect(g.perRow).toBe(15)
    expect(g.rows).toHaveLength(6)
    expect(g.pitch).toBeGreaterThan(18)
  })
  it('shows a class hour in a row where there is room', () => {
    expect(arrange(900, 989, 1_000, { rows: true, cellHeight: 28 }).perRow).toBe(45)
  })
  it('gives a short lesson a row of its own', () => {
    expect(arrange(914, 917, 328, { rows: true, cellHeight: 28 }).rows.map((r) => r.start)).toEqual([914])
  })
  it('starts its rows on a quarter', () => {
    expect(arrange(907, 950, 328, { rows: true, cellHeight: 28 }).rows[0]?.start).toBe(900)
  })
})

describe('arrow keys', () => {
  const g = arrange(900, 989, 500, { rows: false, cellHeight: 20 })
  it.each([
    ['ArrowRight', null, 900], ['ArrowLeft', null, 914], ['PageUp', null, 914], ['End', null, 914], ['Home', 914, 900],
    ['ArrowLeft', 914, 913], ['ArrowRight', 914, 915], ['ArrowLeft', 900, 900], ['PageDown', 985, 989], ['Tab', 914, undefined],
  ])('%s from %s lead to %s, with the newest minute at 914', (key, picked, to) => { expect(walk(g, key, picked, 914)).toBe(to) })
  it('go down a row where there are rows', () => {
    const tall = arrange(900, 989, 328, { rows: true, cellHeight: 20 })
    expect(walk(tall, 'ArrowDown', 901, 914)).toBe(916)
  })
})

describe('a point', () => {
  it.each([[true, 328], [false, 500]])('finds the minute drawn there (rows: %s)', (rows, width) => {
    const g = arrange(900, 989, width, { rows, cellHeight: 20 })
    for (const slot of [900, 914, 915, 950, 989]) {
      const b = boxOf(g, slot)
      expect(slotAt(g, b.x + b.w / 2, b.y + b.h / 2)).toBe(slot)
    }
  })
  it('beside the strip finds none', () => {
    const g = arrange(900, 910, 328, { rows: true, cellHeight: 20 })
    expect(slotAt(g, 10, 5)).toBeNull()
    expect(slotAt(g, 320, 5)).toBeNull()
  })
})

describe('a cell', () => {
  const g = arrange(10, 12, 300, { rows: false, cellHeight: 30 })
  it('stacks what was credited and why the rest was not', () => {
    const paths = draw(g, [cell(10, 60_000), cell(11, 20_000, [{ code: 'hidden', ms: 40_000 }])])
    expect(count(paths.credited)).toBe(2)
    expect(paths.hidden).toContain('M100 0h98v20')
  })
  it('shows three seconds in the background however thin', () => {
    expect(draw(g, [cell(10, 59_500, [{ code: 'hidden', ms: 500 }])]).hidden).toContain('v3h')
  })
  it('that is not sealed yet is veiled as far as it is filled, and the veil is drawn last', () => {
    const paths = draw(g, [cell(10, 0, [{ code: 'hidden', ms: 30_000 }], false), cell(11, 30_000, [], false)])
    expect(Object.keys(paths).at(-1)).toBe('unsealed')
    expect(paths.unsealed).toBe('M0 15h98v15h-98zM100 15h98v15h-98z')
    expect(count(draw(g, [cell(10, 60_000, [], false)]).unsealed)).toBe(1)
  })
  it('that is missing between others is a gap; before and after them there is none', () => {
    expect(count(draw(g, [cell(10, 60_000), cell(12, 60_000)]).gap)).toBe(1)
    expect(draw(g, [cell(11, 60_000)]).gap).toBeUndefined()
    expect(draw(g, [])).toEqual({})
  })
  it('that was corrected shows both values', () => {
    const hidden: ReasonMs = { code: 'hidden', ms: 40_000 }
    const drawn = (corrected_ms: number) => Object.keys(draw(g, [{ ...cell(10, 20_000, [hidden]), corrected_ms }]))
    expect(drawn(60_000)).toEqual(['credited', 'corrected'])
    expect(drawn(40_000)).toEqual(['credited', 'corrected', 'hidden'])
    expect(drawn(20_000)).toEqual(['credited', 'hidden'])
    expect(drawn(0)).toEqual(['corrected', 'hidden'])
  })
  it('that waits for a check, or was voided by one, shows so beside what counts', () => {
    const left = { ...cell(10, 60_000), pending_ms: 20_000, refused: [{ code: 'challenge_missed' as const, ms: 10_000 }] }
    expect(vouchedOf(left)).toBe(30_000)
    expect(Object.keys(draw(g, [left]))).toEqual(['credited', 'pending', 'challenge_missed'])
    expect(Object.keys(draw(g, [{ ...left, corrected_ms: 60_000 }]))).toEqual(['credited', 'corrected'])
    expect(mainKind({ ...left, pending_ms: 0, refused: [], credit_ms: 60_000, cut: [{ code: 'daily_cap', ms: 40_000 }] })).toBe('daily_cap')
    expect(mainKind({ ...left, pending_ms: 0, refused: [{ code: 'identity_failed', ms: 60_000 }] })).toBe('identity_failed')
  })
  it('in which nothing was open is a gap', () => {
    expect(count(draw(g, [cell(10, 0, [{ code: 'not_open', ms: 60_000 }])]).gap)).toBe(1)
  })
})

describe('the plan', () => {
  it('is one line a row', () => {
    const g = arrange(900, 960, 328, { rows: true, cellHeight: 28 })
    expect(count(drawPlan(g, 905, 949))).toBe(4)
  })
})

describe('what mattered most', () => {
  it.each([
    [undefined, 'gap'],
    [cell(1, 60_000), 'credited'],
    [cell(1, 20_000, [{ code: 'hidden', ms: 40_000 }]), 'hidden'],
    [cell(1, 0, [{ code: 'absent', ms: 10_000 }, { code: 'disconnected', ms: 50_000 }]), 'disconnected'],
  ])('%o is %s', (given, kind) => { expect(mainKind(given)).toBe(kind) })
})
