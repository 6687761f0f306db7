/** Decides which lesson a trainee sees first. */
import { isOver } from '../live/lessons'
import type { LessonView } from '../wire/types'

const OPEN = new Set(['starting', 'live', 'paused', 'break'])
const COMING = new Set(['planned', 'start_failed'])

/** A running lesson before the next planned one, by planned start; what was planned and is over comes never. `now`: the server's, ms. */
export function nextLesson<L extends LessonView>(lessons: readonly L[], now: number): L | null {
  const order = [...lessons].sort((a, b) => a.planned_start.localeCompare(b.planned_start))
  return order.find((l) => OPEN.has(l.state)) ?? order.find((l) => COMING.has(l.state) && !isOver(l, now)) ?? null
}

export const isOpen = (lesson: LessonView): boolean => OPEN.has(lesson.state)
