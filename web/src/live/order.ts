/** The order of a lesson as a page reads it: what may be used, who waits, who was removed. The server decides; this only says it. */
import type { OrderView, Switches } from '../wire/types'
import type { TalkView } from './talk'

export type What = keyof Switches
export const WHATS = ['text', 'voice', 'video', 'drawing', 'screen', 'files'] as const satisfies readonly What[]
/** What the instructor gives one by one, so that nobody misses it when it is off. */
const GIVEN: ReadonlySet<What> = new Set(['drawing', 'screen'])

/** The order of everybody; null: nothing is known yet. */
export const whole = (talk: TalkView): OrderView | null => talk.views.order.get('all') ?? null

const persons = (talk: TalkView): OrderView[] => [...talk.views.order.values()].filter((one) => one.id !== 'all')
/** Whoever waits at the door, in the order in which they came. */
export const waiting = (talk: TalkView): OrderView[] => persons(talk).filter((one) => one.waiting)
export const removed = (talk: TalkView): OrderView[] => persons(talk).filter((one) => one.removed)

/** Why this page may not use something: a code of the server's refusals; null: it may. */
export function whyNot(talk: TalkView, what: What): 'silenced' | 'switched_off' | null {
  const all = whole(talk)
  if (!all) return null
  if (all.silence) return 'silenced'
  const own = talk.mine.order?.switches[what] ?? null
  return (own ?? all.switches[what]) === false ? 'switched_off' : null
}

/** What there is to say above everything else: silence, or what was taken away from all or from this person. */
export function taken(talk: TalkView): { silence: boolean; off: What[] } {
  const silence = whole(talk)?.silence ?? false
  return { silence, off: silence ? [] : WHATS.filter((what) => !GIVEN.has(what) && whyNot(talk, what) !== null) }
}
