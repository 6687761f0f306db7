import { describe, expect, it } from 'vitest'
import type { OwnAnswer, PollFace, PollTally, PollView, SignInView } from '../wire/types'
import { answerWords, barsOf, newest, openSignIn, pollsOf, ready, secondsLeft, wasRight } from './polls'

const face = (part: Partial<PollFace> = {}): PollFace => ({
  state: 'open', kind: 'single', text: '?', choices: ['a', 'b'], least: 1, most: 1, seconds: null, anonymous: false, changeable: false,
  quiz: false, right: [], shown: false, opened_ms: 0, closes_ms: null, closed_ms: null, ...part,
})
const tally = (part: Partial<PollTally> = {}): PollTally => ({ answered: 0, counts: [0, 0], texts: [], different: 0, ...part })
const own = (choices: number[], text = ''): OwnAnswer => ({ poll_id: '1', choices, text })
const views = (...all: PollView[]) => new Map(all.map((one) => [one.id, one]))

describe('polls as a page shows them', () => {
  it('are put together of their parts, without those that were withdrawn', () => {
    const all = pollsOf(views(
      { id: '1', poll_id: '1', face: face(), tally: null },
      { id: '1.tally', poll_id: '1', face: null, tally: tally({ answered: 3 }) },
      { id: '2', poll_id: '2', face: face({ state: 'withdrawn' }), tally: null },
      { id: '3', poll_id: '3', face: face({ state: 'draft' }), tally: null },
    ))
    expect(all.map((one) => [one.id, one.tally?.answered])).toEqual([['1', 3], ['3', undefined]])
  })

  it('show the open one, else the one that ended last', () => {
    const [a, b, c] = [face({ state: 'closed', closed_ms: 9 }), face({ state: 'closed', closed_ms: 5 }), face({ state: 'draft' })].map((one, at) => ({ id: `${at}`, face: one, tally: null }))
    if (!a || !b || !c) throw new Error()
    expect(newest([a, b, c])?.id).toBe('0')
    expect(newest([a, { ...b, face: face() }, c])?.id).toBe('1')
    expect(newest([c])).toBeNull()
  })

  it('count down by ledger time', () => {
    expect(secondsLeft(10_000, 5_000, 1_001)).toBe(4)
    expect(secondsLeft(10_000, 5_000, 9_000)).toBe(0)
    expect([secondsLeft(null, 5_000, 0), secondsLeft(10_000, null, 0)]).toEqual([null, null])
  })

  it('are bars of those who answered, with what is right and what is one’s own', () => {
    const bars = barsOf(face({ right: [1] }), tally({ answered: 4, counts: [1, 3] }), own([0]))
    expect(bars.map((one) => [one.count, one.percent, one.own, one.right])).toEqual([[1, 25, true, false], [3, 75, false, true]])
    const written = barsOf(face({ kind: 'text' }), tally({ answered: 3, texts: [{ text: 'x', count: 2 }, { text: 'y', count: 1 }] }), own([], 'y'))
    expect(written.map((one) => [one.label, one.percent, one.own])).toEqual([['x', 67, false], ['y', 33, true]])
    expect(barsOf(face(), tally(), null).map((one) => one.percent)).toEqual([0, 0])
    expect(barsOf(face({ kind: 'judgement', choices: [] }), tally(), null)).toHaveLength(2)
  })

  it('say whether an answer is right only where that is told', () => {
    expect([wasRight(face(), own([1])), wasRight(face({ right: [1] }), null)]).toEqual([null, null])
    expect([wasRight(face({ right: [0, 1] }), own([0, 1])), wasRight(face({ right: [0, 1] }), own([0]))]).toEqual([true, false])
  })

  it('take an answer that is whole', () => {
    const several = face({ kind: 'multiple', least: 1, most: 2 })
    expect([ready(several, [], ''), ready(several, [0, 1], ''), ready(several, [0, 1, 2], '')]).toEqual([false, true, false])
    expect([ready(face({ kind: 'text' }), [], ' '), ready(face({ kind: 'text' }), [], 'x')]).toEqual([false, true])
  })

  it('say an answer in words', () => {
    expect([answerWords(face(), own([1])), answerWords(face({ kind: 'text' }), own([], 'x'))]).toEqual(['b', 'x'])
  })
})

describe('sign-in', () => {
  it('is the one that is open', () => {
    const one = (id: string, open: boolean): SignInView => ({ id, open, opened_ms: 0, closes_ms: 9, closed_ms: null, here: null })
    expect(openSignIn(new Map([['1', one('1', false)], ['2', one('2', true)]]))?.id).toBe('2')
    expect(openSignIn(new Map())).toBeNull()
  })
})
