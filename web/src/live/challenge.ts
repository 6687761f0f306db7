/** Decides what a trainee's page knows of its challenge: the server's whole state, by the page's own clock. */
import type { ChallengeState } from '../wire/types'

export interface Challenge extends ChallengeState {
  /** Until when an answer is taken, by the page's monotonic clock. */
  until: number
}

export const challengeOf = (said: ChallengeState, mono: number): Challenge => ({ ...said, until: mono + said.left_ms })

/** Whether the trainee has something to do: answer, or be verified again. */
export const calls = (one: Challenge | null): one is Challenge => one !== null && one.state !== 'clear'
