/** Questions as pages put them: what waits for an answer and in which order, what is answered, what is one's own. */
import type { QuestionView } from '../wire/types'

/** A question stays on top for so long, that others see it and can join; then votes decide. */
export const YOUNG_MS = 60_000
export const QUESTION_MOST = 500
export const ANSWER_MOST = 1_000

export const waits = (one: QuestionView): boolean => one.state === 'open' || one.state === 'answering'
/** Whom peers are shown it: what is hidden or was withdrawn says nothing. */
const shown = (one: QuestionView): boolean => !one.hidden && one.state !== 'withdrawn'

/** The one that is being answered, then young ones, the newest first, then by votes; of equal ones the older first. */
export function ranked(all: Iterable<QuestionView>, now: number): QuestionView[] {
  const young = (one: QuestionView) => now - one.at_ms < YOUNG_MS
  return [...all].filter((one) => waits(one) && shown(one)).sort((a, b) =>
    Number(b.state === 'answering') - Number(a.state === 'answering')
    || Number(young(b)) - Number(young(a))
    || (young(a) ? b.at_ms - a.at_ms : b.votes - a.votes || a.at_ms - b.at_ms))
}

/** When a question was answered last, live or in writing. */
export const answeredAt = (one: QuestionView): number => Math.max(one.until_ms ?? 0, ...one.answers.map(({ at_ms }) => at_ms))

/** The last answered first. */
export function settled(all: Iterable<QuestionView>): QuestionView[] {
  return [...all].filter((one) => one.state === 'answered' && shown(one)).sort((a, b) => answeredAt(b) - answeredAt(a) || b.at_ms - a.at_ms)
}

/** What the desk put aside: hidden ones, in order. */
export const aside = (all: Iterable<QuestionView>): QuestionView[] => [...all].filter((one) => one.hidden)

/** The question that one was merged into in the end. */
export function rootOf(all: ReadonlyMap<string, QuestionView>, one: QuestionView): QuestionView {
  let found = one
  for (let next = found.into; next !== null; next = found.into) {
    const into = all.get(next)
    if (!into) return found
    found = into
  }
  return found
}

/** Where to jump to in the recording: to the live answer, else to when it was asked. */
export const momentOf = (one: QuestionView): number => (one.live_ms ?? one.at_ms) / 1000
