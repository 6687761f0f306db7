import { describe, expect, it } from 'vitest'
import type { QuestionView } from '../wire/types'
import { YOUNG_MS, answeredAt, aside, momentOf, ranked, rootOf, settled, waits } from './questions'

const question = (id: string, more: Partial<QuestionView> = {}): QuestionView => ({
  id, at_ms: Number(id) * 1000, text: `Q${id}`, anonymous: false, author_id: null, author: null, votes: 1, state: 'open',
  hidden: false, into: null, live_ms: null, until_ms: null, answers: [], ...more,
})
const ids = (all: QuestionView[]) => all.map(({ id }) => id)
const OLD = 10 * YOUNG_MS

describe('questions', () => {
  it('are ranked by votes, of equal ones the older first', () => {
    expect(ids(ranked([question('1'), question('2', { votes: 3 }), question('3')], OLD))).toEqual(['2', '1', '3'])
  })

  it('are on top while they are young, the newest first, to the edge', () => {
    const all = [question('1', { votes: 9 }), question('40'), question('50')]
    expect(ids(ranked(all, 40_000 + YOUNG_MS - 1))).toEqual(['50', '40', '1'])
    expect(ids(ranked(all, 40_000 + YOUNG_MS))).toEqual(['50', '1', '40'])
  })

  it('begin with the one that is being answered', () => {
    expect(ids(ranked([question('1', { votes: 9 }), question('2', { state: 'answering' })], OLD))).toEqual(['2', '1'])
  })

  it('that are hidden, withdrawn, merged or answered do not wait', () => {
    const all = [question('1', { hidden: true }), question('2', { state: 'withdrawn' }), question('3', { state: 'merged' }), question('4', { state: 'answered' })]
    expect(ranked(all, OLD)).toEqual([])
    expect(ids(settled(all))).toEqual(['4'])
    expect(ids(aside(all))).toEqual(['1'])
    expect(all.filter(waits).map(({ id }) => id)).toEqual(['1'])
  })

  it('that are answered come by their last answer', () => {
    const written = { text: 'A', by: 'T', late: false }
    const all = [
      question('1', { state: 'answered', until_ms: 50 }),
      question('2', { state: 'answered', answers: [{ ...written, at_ms: 10 }, { ...written, at_ms: 90 }] }),
      question('3', { state: 'answered' }),
    ]
    expect(ids(settled(all))).toEqual(['2', '1', '3'])
    expect(all.map(answeredAt)).toEqual([50, 90, 0])
  })

  it('that were merged lead to the last one', () => {
    const all = new Map([question('1', { into: '2' }), question('2', { into: '3' }), question('3')].map((one) => [one.id, one]))
    expect(rootOf(all, question('1', { into: '2' })).id).toBe('3')
    expect(rootOf(all, question('7', { into: '8' })).id).toBe('7')
  })

  it('lead to their live answer in the recording', () => {
    expect(momentOf(question('5'))).toBe(5)
    expect(momentOf(question('5', { live_ms: 9_000 }))).toBe(9)
  })
})
