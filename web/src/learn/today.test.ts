import { describe, expect, it } from 'vitest'
import type { LessonView } from '../wire/types'
import { nextLesson } from './today'

const NOW = Date.parse('2026-01-01T00:00:00Z')
const lesson = (id: string, state: LessonView['state'], planned_start: string) => ({ id, state, planned_start, planned_end: `2026-01-0${planned_start}T00:00:00Z` }) as LessonView

describe('the first lesson to see', () => {
  it('is the running one', () => { expect(nextLesson([lesson('a', 'planned', '1'), lesson('b', 'live', '2')], NOW)?.id).toBe('b') })
  it('or else the next planned one', () => { expect(nextLesson([lesson('a', 'ended', '1'), lesson('c', 'planned', '3'), lesson('b', 'planned', '2')], NOW)?.id).toBe('b') })
  it('never one whose time is over', () => { expect(nextLesson([lesson('a', 'planned', '1'), lesson('b', 'planned', '2')], NOW)?.id).toBe('b') })
  it('or none', () => { expect(nextLesson([lesson('a', 'ended', '1')], NOW)).toBeNull() })
})
