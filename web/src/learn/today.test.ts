import { describe, expect, it } from 'vitest'
import type { LessonView } from '../wire/types'
import { nextLesson } from './today'

const lesson = (id: string, state: LessonView['state'], planned_start: string) => ({ id, state, planned_start }) as LessonView

describe('the first lesson to see', () => {
  it('is the running one', () => { expect(nextLesson([lesson('a', 'planned', '1'), lesson('b', 'live', '2')])?.id).toBe('b') })
  it('or else the next planned one', () => { expect(nextLesson([lesson('a', 'ended', '1'), lesson('c', 'planned', '3'), lesson('b', 'planned', '2')])?.id).toBe('b') })
  it('or none', () => { expect(nextLesson([lesson('a', 'ended', '1')])).toBeNull() })
})
