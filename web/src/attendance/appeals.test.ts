import { describe, expect, it } from 'vitest'
import type { AppealView, Cell } from '../wire/types'
import { inTime, missing, pending, stretchAround } from './appeals'

const cell = (slot: number, credit_ms: number, more: Partial<Cell> = {}): Cell => ({ slot, open_ms: 60_000, credit_ms, reasons: [], sealed: true, corrected_ms: null, pending_ms: 0, refused: [], cut: [], grade: 0, detail: null, ...more })

describe('minutes to ask about', () => {
  it('are sealed and do not count whole', () => {
    expect(missing(cell(1, 59_999))).toBe(true)
    expect(missing(cell(1, 60_000))).toBe(false)
    expect(missing(cell(1, 0, { sealed: false }))).toBe(false)
    expect(missing(cell(1, 0, { open_ms: 0 }))).toBe(false)
    expect(missing(cell(1, 0, { corrected_ms: 60_000 }))).toBe(false)
    expect(missing(cell(1, 60_000, { corrected_ms: 0 }))).toBe(true)
  })
  it('are asked about as a whole stretch', () => {
    const cells = [cell(1, 0), cell(2, 60_000), cell(3, 10), cell(4, 0), cell(5, 5), cell(6, 60_000)]
    expect(stretchAround(cells, 4)).toEqual({ first: 3, last: 5 })
    expect(stretchAround(cells, 1)).toEqual({ first: 1, last: 1 })
    expect(stretchAround(cells, 2)).toBeNull()
    expect(stretchAround(cells, 9)).toBeNull()
    expect(stretchAround(cells, null)).toBeNull()
  })
  it('are asked about once at a time', () => {
    const asked = (state: AppealView['state']): AppealView => ({ id: '', lesson_id: '', first_slot: 3, last_slot: 5, text: '', at: '', state, answer: null, answered_at: null })
    expect(pending([asked('open')], { first: 5, last: 9 })).toBe(true)
    expect(pending([asked('proposed')], { first: 1, last: 3 })).toBe(true)
    expect(pending([asked('open')], { first: 6, last: 9 })).toBe(false)
    expect(pending([asked('refused'), asked('corrected')], { first: 3, last: 5 })).toBe(false)
  })
  it('have an end', () => {
    expect(inTime(null, 5)).toBe(true)
    expect(inTime('1970-01-01T00:00:00.005Z', 5)).toBe(true)
    expect(inTime('1970-01-01T00:00:00.005Z', 6)).toBe(false)
  })
})
