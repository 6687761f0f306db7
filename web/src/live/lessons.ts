/** Decides the order of lessons in lists. */
import type { LessonView } from '../wire/types'

/** A lesson, or something said about one. */
const plain = (entry: LessonView | { lesson: LessonView }): LessonView => ('lesson' in entry ? entry.lesson : entry)

export interface Grouped<L> { running: L[]; coming: L[]; past: L[] }

export function grouped<L extends LessonView | { lesson: LessonView }>(lessons: readonly L[]): Grouped<L> {
  const state = (entry: L) => plain(entry).state
  const order = [...lessons].sort((a, b) => plain(a).planned_start.localeCompare(plain(b).planned_start))
  return {
    running: order.filter((l) => ['starting', 'live', 'break'].includes(state(l))),
    coming: order.filter((l) => ['planned', 'start_failed'].includes(state(l))),
    past: order.filter((l) => state(l) === 'ended').reverse(),
  }
}
