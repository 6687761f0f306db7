import { describe, expect, it } from 'vitest'
import type { LessonView } from '../wire/types'
import { grouped } from './lessons'

const lesson = (id: string, state: LessonView['state'], planned_start: string) => ({ id, state, planned_start, planned_end: planned_start.length > 1 ? planned_start : '2030-01-01T00:00:00Z' }) as LessonView

describe('lessons in a list', () => {
  it('are running, coming next first, or past latest first', () => {
    const groups = grouped([lesson('c', 'planned', '5'), lesson('a', 'ended', '1'), lesson('b', 'ended', '2'), lesson('d', 'start_failed', '3'), lesson('e', 'break', '4'), lesson('f', 'planned', '2026-01-01T00:00:00Z')], Date.parse('2026-01-01T00:00:00Z'))
    expect(groups.running.map((l) => l.id)).toEqual(['e'])
    expect(groups.coming.map((l) => l.id)).toEqual(['d', 'c'])
    expect(groups.missed.map((l) => l.id)).toEqual(['f'])
    expect(groups.past.map((l) => l.id)).toEqual(['b', 'a'])
  })
})
