import { describe, expect, it } from 'vitest'
import cases from '../../../tests/verify/hours.json'
import { dayOf, divided, rulesOf, settle, type Attended, type LessonSettled, type Settled } from './hours'

interface Lesson { number: number; minutes: number[][]; open_ms: number; opened_ms: number; first_ms: number | null }

const attended = (one: Lesson): Attended =>
  ({ number: one.number, minutes: new Map(one.minutes.map(([slot = 0, ms = 0]) => [slot, ms])), openMs: one.open_ms, openedMs: one.opened_ms, firstMs: one.first_ms })
const lesson = ({ number, confirmedMs, cappedMs, shortMs, complete, late }: LessonSettled): unknown => ({ number, confirmed_ms: confirmedMs, capped_ms: cappedMs, short_ms: shortMs, complete, late })
const said = (one: Settled): unknown =>
  ({ class_hours: one.classHours, remainder_ms: one.remainderMs, confirmed_ms: one.confirmedMs, capped_ms: one.cappedMs, short_ms: one.shortMs, lessons: one.lessons.map(lesson) })

describe('what a scheme makes of time', () => {
  it('is in all stored cases what the server counts', () => {
    expect(cases.length).toBe(200)
    for (const one of cases) expect(said(settle(rulesOf(one.parameters), (one.lessons as Lesson[]).map(attended))), JSON.stringify(one)).toEqual(one.said)
  })

  it('is divided and rounded once, at the edge', () => {
    const [down, nearest] = [rulesOf({ class_hour_ms: 2_700_000, rounding: 'floor' }), rulesOf({ class_hour_ms: 2_700_000, rounding: 'nearest' })]
    expect([2_699_999, 2_700_000].map((ms) => divided(down, ms))).toEqual([{ classHours: 0, remainderMs: 2_699_999 }, { classHours: 1, remainderMs: 0 }])
    expect([1_349_999, 1_350_000].map((ms) => divided(nearest, ms))).toEqual([{ classHours: 0, remainderMs: 1_349_999 }, { classHours: 1, remainderMs: 0 }])
  })

  it('has days that begin at midnight in China', () => {
    expect([29_923_200 - 481, 29_923_200 - 480].map(dayOf)).toEqual([20_779, 20_780])
  })

  it.each([
    [{}], [{ class_hour_ms: 0 }], [{ class_hour_ms: 1.5 }], [{ class_hour_ms: '1' }], [{ class_hour_ms: true }], [{ class_hour_ms: 86_400_001 }],
    [{ class_hour_ms: 1, rounding: 'up' }], [{ class_hour_ms: 1, rounding: null }], [{ class_hour_ms: 1, daily_cap_ms: 0 }], [{ class_hour_ms: 1, complete_percent: 101 }], [{ class_hour_ms: 1, late_ms: -1 }],
  ])('%j is no scheme', (parameters) => {
    expect(() => rulesOf(parameters)).toThrow()
  })
})
