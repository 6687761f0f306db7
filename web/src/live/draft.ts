/** Decides how a poll is composed: templates, what can be sent, and the question that the server gets. */
import type { PollFace, PollQuestion } from '../wire/types'

export type Kind = PollFace['kind']
export const KINDS: readonly Kind[] = ['single', 'multiple', 'judgement', 'text']
export const CHOICES_LEAST = 2
export const CHOICES_MOST = 10
export const SECONDS: readonly number[] = [20, 30, 60, 120, 300, 600]

export type Draft = PollQuestion

export function template(kind: Kind): Draft {
  const chosen = kind === 'single' || kind === 'multiple'
  return { kind, text: '', choices: chosen ? ['', ''] : [], least: 1, most: kind === 'multiple' ? 2 : 1, right: [], seconds: 60, anonymous: false, changeable: false }
}

/** A draft as it can be changed again. */
export const again = (face: PollFace): Draft => ({
  kind: face.kind, text: face.text, choices: [...face.choices], least: face.least, most: face.most, right: [...face.right],
  seconds: face.seconds, anonymous: face.anonymous, changeable: face.changeable,
})

export function addChoice(draft: Draft): Draft {
  if (draft.choices.length >= CHOICES_MOST) return draft
  return { ...draft, choices: [...draft.choices, ''], most: draft.most === draft.choices.length && draft.kind === 'multiple' ? draft.most + 1 : draft.most }
}

export function removeChoice(draft: Draft, at: number): Draft {
  if (draft.choices.length <= CHOICES_LEAST) return draft
  const choices = draft.choices.filter((_, one) => one !== at)
  const right = draft.right.filter((one) => one !== at).map((one) => (one > at ? one - 1 : one))
  const most = Math.min(draft.most, choices.length)
  return { ...draft, choices, right, most, least: Math.min(draft.least, most) }
}

/** One right answer of several, or of one choice; chosen again it is none. */
export function markRight(draft: Draft, at: number): Draft {
  if (draft.right.includes(at)) return { ...draft, right: draft.right.filter((one) => one !== at) }
  return { ...draft, right: draft.kind === 'multiple' ? [...draft.right, at].sort((a, b) => a - b) : [at] }
}

export function isWhole(draft: Draft): boolean {
  const words = draft.choices.map((one) => one.trim())
  const marked = draft.right.length === 0 || (draft.right.length >= draft.least && draft.right.length <= draft.most)
  return draft.text.trim() !== '' && words.every((one) => one !== '') && new Set(words).size === words.length && marked
}
