import { describe, expect, it } from 'vitest'
import type { Cell, ChallengeState } from '../wire/types'
import { calls, challengeOf, withheld } from './challenge'

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

describe('a minute that is acknowledged while challenges decide', () => {
  const cell = (credit_ms: number, pending_ms = 0, refused: Cell['refused'] = []): Cell => ({ slot: 1, open_ms: 60_000, credit_ms, reasons: [], sealed: false, corrected_ms: null, pending_ms, refused, cut: [], grade: 0, detail: null })

  it('waits, but for what the server has judged already', () => {
    expect(withheld(cell(10_000), undefined, null)).toMatchObject({ pending_ms: 10_000, refused: [] })
    expect(withheld(cell(30_000), cell(20_000, 5_000), null).pending_ms).toBe(15_000)
    expect(withheld(cell(30_000), cell(30_000), null).pending_ms).toBe(0)
  })

  it('is lost while the trainee is blocked', () => {
    const refused = [{ code: 'identity_failed', ms: 5_000 }]
    expect(withheld(cell(30_000), cell(20_000, 3_000, refused), 'challenge_missed')).toMatchObject({ pending_ms: 0, refused: [...refused, { code: 'challenge_missed', ms: 13_000 }] })
    expect(withheld(cell(30_000), cell(20_000, 0, refused), 'identity_failed').refused).toEqual([{ code: 'identity_failed', ms: 15_000 }])
    expect(withheld(cell(30_000), cell(20_000, 0, refused), null)).toMatchObject({ pending_ms: 10_000, refused })
  })
})
