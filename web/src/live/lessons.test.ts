import { describe, expect, it } from 'vitest'
import type { LessonView } from '../wire/types'
import { grouped } from './lessons'

const lesson = (id: string, state: LessonView['state'], planned_start: string) => ({ id, state, planned_start }) as LessonView

describe('lessons in a list', () => {
  it('are running, coming next first, or past latest first', () => {
    const groups = grouped([lesson('c', 'planned', '5'), lesson('a', 'ended', '1'), lesson('b', 'ended', '2'), lesson('d', 'start_failed', '3'), lesson('e', 'break', '4')])
    expect(groups.running.map((l) => l.id)).toEqual(['e'])
    expect(groups.coming.map((l) => l.id)).toEqual(['d', 'c'])
    expect(groups.past.map((l) => l.id)).toEqual(['b', 'a'])
  })
})
