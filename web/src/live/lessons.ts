/** Decides what a lesson's state means to lists, and the order of lessons in them. */
import type { LessonState, LessonView } from '../wire/types'

const COMING: readonly LessonState[] = ['planned', 'start_failed']

/** It has begun and can be ended. */
export const isTaught = (state: LessonState | undefined): boolean => state === 'live' || state === 'paused' || state === 'break'

/** It has begun, or is just beginning. */
export const isRunning = (state: LessonState | undefined): boolean => state === 'starting' || isTaught(state)

/** It has not begun, whether or not that was tried. */
export const isComing = (state: LessonState | undefined): boolean => state !== undefined && COMING.includes(state)

/** A lesson, or something said about one. */
const plain = (entry: LessonView | { lesson: LessonView }): LessonView => ('lesson' in entry ? entry.lesson : entry)

/** Its planned time is over by the server's clock (ms): it cannot begin any more. */
export const isOver = (lesson: LessonView, now: number): boolean => Date.parse(lesson.planned_end) <= now

export interface Grouped<L> { running: L[]; coming: L[]; past: L[]; missed: L[] }

export function grouped<L extends LessonView | { lesson: LessonView }>(lessons: readonly L[], now: number): Grouped<L> {
  const state = (entry: L) => plain(entry).state
  const order = [...lessons].sort((a, b) => plain(a).planned_start.localeCompare(plain(b).planned_start))
  const waiting = order.filter((l) => isComing(state(l)))
  return {
    running: order.filter((l) => isRunning(state(l))),
    coming: waiting.filter((l) => !isOver(plain(l), now)),
    // Planned, never held, and too late to begin.
    missed: waiting.filter((l) => isOver(plain(l), now)),
    past: order.filter((l) => state(l) === 'ended').reverse(),
  }
}
