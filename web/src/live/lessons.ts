/** Decides the order of lessons in lists. */
import type { LessonView } from '../wire/types'

/** A lesson, or something said about one. */
const plain = (entry: LessonView | { lesson: LessonView }): LessonView => ('lesson' in entry ? entry.lesson : entry)

/** Its planned time is over by the server's clock (ms): it cannot begin any more. */
export const isOver = (lesson: LessonView, now: number): boolean => Date.parse(lesson.planned_end) <= now

export interface Grouped<L> { running: L[]; coming: L[]; past: L[]; missed: L[] }

export function grouped<L extends LessonView | { lesson: LessonView }>(lessons: readonly L[], now: number): Grouped<L> {
  const state = (entry: L) => plain(entry).state
  const order = [...lessons].sort((a, b) => plain(a).planned_start.localeCompare(plain(b).planned_start))
  const waiting = order.filter((l) => ['planned', 'start_failed'].includes(state(l)))
  return {
    running: order.filter((l) => ['starting', 'live', 'paused', 'break'].includes(state(l))),
    coming: waiting.filter((l) => !isOver(plain(l), now)),
    // Planned, never held, and too late to begin.
    missed: waiting.filter((l) => isOver(plain(l), now)),
    past: order.filter((l) => state(l) === 'ended').reverse(),
  }
}
