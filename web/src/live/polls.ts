/** Decides what a page shows of polls and of sign-in: parts put together, time left, tallies as bars. */
import { t } from '../ui/catalogue'
import type { OwnAnswer, PollFace, PollTally, PollView, SignInView } from '../wire/types'

export interface Poll {
  id: string
  face: PollFace
  /** Null as long as one is not told of it. */
  tally: PollTally | null
}

/** One row of a result: a choice, or a text that was written. */
export interface Bar {
  label: string
  count: number
  /** Of those who answered. */
  percent: number
  own: boolean
  right: boolean
}

/** A poll comes in parts; one that was withdrawn is none. In the order they were prepared. */
export function pollsOf(views: ReadonlyMap<string, PollView>): Poll[] {
  const found: Poll[] = []
  for (const { poll_id: id, face } of views.values()) {
    if (!face || face.state === 'withdrawn') continue
    found.push({ id, face, tally: views.get(`${id}.tally`)?.tally ?? null })
  }
  return found
}

/** Seconds until a moment of ledger time, rounded up; null without an end, or before that time is known. */
export function secondsLeft(until: number | null, ledger: number | null, mono: number): number | null {
  if (until === null || ledger === null) return null
  return Math.max(0, Math.ceil((until - ledger - mono) / 1_000))
}

/** What there is to choose from; judgement has the same two everywhere. */
export function choicesOf({ kind, choices }: Pick<PollFace, 'kind' | 'choices'>): string[] {
  return kind === 'judgement' ? [t('poll.yes'), t('poll.no')] : choices
}

export const percent = (count: number, of: number): number => (of === 0 ? 0 : Math.round((100 * count) / of))

export function barsOf(face: PollFace, tally: PollTally, own: OwnAnswer | null): Bar[] {
  const bar = (label: string, count: number, mine: boolean, right: boolean): Bar => ({ label, count, percent: percent(count, tally.answered), own: mine, right })
  if (face.kind === 'text') return tally.texts.map(({ text, count }) => bar(text, count, own?.text === text, false))
  return choicesOf(face).map((label, at) => bar(label, tally.counts[at] ?? 0, own?.choices.includes(at) ?? false, face.right.includes(at)))
}

/** Whether one's own answer is right; null where nothing says so (yet). */
export function wasRight(face: PollFace, own: OwnAnswer | null): boolean | null {
  if (!own || face.right.length === 0) return null
  return own.choices.length === face.right.length && own.choices.every((one) => face.right.includes(one))
}

/** An answer in words. */
export function answerWords(face: Pick<PollFace, 'kind' | 'choices'>, own: Pick<OwnAnswer, 'choices' | 'text'>): string {
  if (face.kind === 'text') return own.text
  const choices = choicesOf(face)
  return own.choices.map((at) => choices[at] ?? '').join(t('list.comma'))
}

/** The one that is open, or else the last that has ended. */
export function newest(polls: readonly Poll[]): Poll | null {
  const told = polls.filter((one) => one.face.state !== 'draft')
  const open = told.find((one) => one.face.state === 'open')
  return open ?? [...told].sort((a, b) => (a.face.closed_ms ?? 0) - (b.face.closed_ms ?? 0)).at(-1) ?? null
}

export const openSignIn = (views: ReadonlyMap<string, SignInView>): SignInView | null => [...views.values()].find((one) => one.open) ?? null

/** Whether an answer can be sent as it stands. */
export function ready({ kind, least, most }: Pick<PollFace, 'kind' | 'least' | 'most'>, choices: readonly number[], text: string): boolean {
  return kind === 'text' ? text.trim() !== '' : choices.length >= least && choices.length <= most
}
