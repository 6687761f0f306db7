/** Decides what a trainee's page knows of its challenge: the server's whole state, by the page's own clock. */
import type { Cell, ChallengeState } from '../wire/types'

export interface Challenge extends ChallengeState {
  /** Until when an answer is taken, by the page's monotonic clock. */
  until: number
}

export const challengeOf = (said: ChallengeState, mono: number): Challenge => ({ ...said, until: mono + said.left_ms })

/** Whether the trainee has something to do: answer, or be verified again. */
/**
 * A minute as an acknowledgement tells it, which knows nothing of challenges: what is new in it waits for the next one,
 * or is lost until the trainee is verified again. What was `known` of it stays as the server judged it.
 */
export function withheld(fresh: Cell, known: Cell | undefined, reason: Challenge['reason']): Cell {
  const refused = known?.refused ?? []
  const left = Math.max(0, fresh.credit_ms - (known ? known.credit_ms - known.pending_ms : 0))
  if (reason === null) return { ...fresh, refused, pending_ms: left }
  const same = refused.find((one) => one.code === reason)?.ms ?? 0
  return { ...fresh, refused: [...refused.filter((one) => one.code !== reason), { code: reason, ms: same + left }] }
}

export const calls = (one: Challenge | null): one is Challenge => one !== null && one.state !== 'clear'
