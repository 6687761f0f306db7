import { describe, expect, it } from 'vitest'
import type { ChallengeState } from '../wire/types'
import { calls, challengeOf } from './challenge'

const said = (state: ChallengeState['state'], left_ms = 0): ChallengeState => ({ lesson_id: 'l', state, number: 1, prompt: null, left_ms, reason: null })

describe('a challenge', () => {
  it('ends by the page’s own clock', () => {
    expect(challengeOf(said('asked', 20_000), 5_000).until).toBe(25_000)
  })

  it('calls for the trainee while it is asked, and while nothing counts', () => {
    expect(calls(null)).toBe(false)
    expect(calls(challengeOf(said('clear'), 0))).toBe(false)
    expect(calls(challengeOf(said('asked'), 0))).toBe(true)
    expect(calls(challengeOf(said('blocked'), 0))).toBe(true)
  })
})
