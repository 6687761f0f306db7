/** Decides which lesson a trainee sees first. */
import { isComing, isOver, isRunning } from '../live/lessons'
import type { LessonView } from '../wire/types'

/** A running lesson before the next planned one, by planned start; what was planned and is over comes never. `now`: the server's, ms. */
export function nextLesson<L extends LessonView>(lessons: readonly L[], now: number): L | null {
  const order = [...lessons].sort((a, b) => a.planned_start.localeCompare(b.planned_start))
  return order.find((l) => isRunning(l.state)) ?? order.find((l) => isComing(l.state) && !isOver(l, now)) ?? null
}
