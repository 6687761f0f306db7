/** Decides the order of lessons in lists. */
import type { Lesson } from '../wire/types'

export interface Grouped<L> { running: L[]; coming: L[]; past: L[] }

export function grouped<L extends Lesson>(lessons: readonly L[]): Grouped<L> {
  const order = [...lessons].sort((a, b) => a.planned_start.localeCompare(b.planned_start))
  return {
    running: order.filter((l) => ['starting', 'live', 'break'].includes(l.state)),
    coming: order.filter((l) => ['planned', 'start_failed'].includes(l.state)),
    past: order.filter((l) => l.state === 'ended').reverse(),
  }
}
