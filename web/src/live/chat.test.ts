import { describe, expect, it } from 'vitest'
import type { ChatView } from '../wire/types'
import { MENTIONS_MOST, Older, ROOM, lastOf, linesOf, mentioning, speakers, spokenTo, unseen, withName } from './chat'
import type { Talk } from './talk'

const line = (id: string, more: Partial<ChatView> = {}): ChatView => ({
  id, at_ms: 0, author_id: `p${id}`, author: `N${id}`, teaches: false, text: '', mentions: [], file: null, hidden: false, pinned: null, slow_s: 0, ...more,
})
const views = (...lines: ChatView[]) => new Map(lines.map((one) => [one.id, one]))
const ids = (lines: ChatView[]) => lines.map(({ id }) => id)

describe('lines', () => {
  it('are in order, whenever they were told, and the newest view of one counts', () => {
    const older = [line('1'), line('2')]
    const told = views(line(ROOM), line('10'), line('9'), line('2', { hidden: true }))
    const found = linesOf(told, older)
    expect(ids(found)).toEqual(['1', '2', '9', '10'])
    expect(found[1]?.hidden).toBe(true)
  })

  it('leave out a pinned one that is older than the others, until what lies between is there', () => {
    const told = views(line(ROOM, { pinned: '3' }), line('3'), line('50'), line('51'))
    expect(ids(linesOf(told, []))).toEqual(['50', '51'])
    expect(ids(linesOf(told, [line('3'), line('49')]))).toEqual(['3', '49', '50', '51'])
    expect(ids(linesOf(views(line(ROOM, { pinned: '3' }), line('3')), []))).toEqual(['3'])
  })
})

describe('mentions', () => {
  it('are offered of those who spoke, the last one first, without oneself', () => {
    const lines = [line('1'), line('2', { author_id: 'me', author: 'M' }), line('3', { author_id: 'p1', author: 'N1' }), line('4')]
    expect(speakers(lines, 'me')).toEqual([{ id: 'p4', name: 'N4' }, { id: 'p1', name: 'N1' }])
  })

  it('begin with an @ at the end', () => {
    expect(mentioning('hi @N')).toBe('N')
    expect(mentioning('@')).toBe('')
    expect(mentioning('@N hi')).toBeNull()
    expect(withName('hi @N', 'Nora')).toBe('hi @Nora ')
    expect(withName('hi', 'Nora')).toBe('hi@Nora ')
  })

  it('are those whose names still stand in the text, and no more than may be', () => {
    const people = Array.from({ length: 30 }, (_, n) => ({ id: String(n), name: `N${n}.` }))
    expect(spokenTo('@N3. and N4.', people)).toEqual(['3'])
    expect(spokenTo(people.map(({ name }) => `@${name}`).join(' '), people)).toHaveLength(MENTIONS_MOST)
  })
})

describe('what was not seen', () => {
  it('is what others said since, and what was said to oneself', () => {
    const lines = [line('1'), line('2', { mentions: ['me'] }), line('3', { author_id: 'me' }), line('4', { hidden: true }), line('5')]
    expect(unseen(lines, 0, 'me')).toEqual({ lines: 3, mentions: 1 })
    expect(unseen(lines, 2, 'me')).toEqual({ lines: 1, mentions: 0 })
    expect(lastOf(views(line(ROOM), line('7'), line('12')).values())).toBe(12)
    expect(lastOf([])).toBe(0)
  })
})

describe('older lines', () => {
  it('are put before those that are there, one question at a time', async () => {
    const asked: unknown[] = []
    let answer: (lines: object) => void = () => undefined
    const talk = { ask: (_event: string, request: unknown) => { asked.push(request); return new Promise((done) => { answer = done }) } } as unknown as Talk
    const older = new Older(talk)
    const first = older.before('50')
    await older.before('50')
    expect(asked).toEqual([{ before: '50' }])
    answer({ lines: [line('48'), line('49')], more: true })
    await first
    const second = older.before('48')
    answer({ lines: [line('47')], more: false })
    await second
    expect(ids(older.view.value.lines)).toEqual(['47', '48', '49'])
    expect(older.view.value).toMatchObject({ more: false, busy: false })
  })

  it('can be asked for again after a refusal', async () => {
    const talk = { ask: () => Promise.reject(new Error('offline')) } as unknown as Talk
    const older = new Older(talk)
    await expect(older.before('50')).rejects.toThrow('offline')
    expect(older.view.value.busy).toBe(false)
  })
})
