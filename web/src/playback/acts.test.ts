import { describe, expect, it, vi } from 'vitest'
import type { ReplayActs, ReplayMoment } from '../wire/types'
import { standing } from '../live/board'
import { Acts, Past, hasBoard } from './acts'

const BEGIN = Date.parse('2026-11-23T09:00:00.000Z')
const iso = (s: number): string => new Date(BEGIN + s * 1_000).toISOString()
/** At second `s`, act `seq`: things with an id and what they say. */
const moment = (s: number, seq: number, order: Record<string, string>): ReplayMoment =>
  ({ at: iso(s), seq, changes: { order: Object.entries(order).map(([id, name]) => ({ id, name })) } }) as unknown as ReplayMoment
const said = (past: Past, s: number): Record<string, string> =>
  Object.fromEntries([...past.at(BEGIN + s * 1_000).order.values()].map(({ id, name }) => [id, name]))

describe('the past of a lesson', () => {
  const past = new Past()
  past.add([moment(1, 1, { a: 'a1' }), moment(5, 3, { a: 'a3', b: 'b' }), moment(9, 4, { a: 'a4' })])

  it('is what it was at each moment, in any order', () => {
    for (const [s, then] of [[0, {}], [1, { a: 'a1' }], [4.9, { a: 'a1' }], [9, { a: 'a4', b: 'b' }], [5, { a: 'a3', b: 'b' }], [0, {}], [99, { a: 'a4', b: 'b' }]] as const)
      expect(said(past, s)).toEqual(then)
  })

  it('is the same object while nothing changes', () => {
    expect(past.at(BEGIN + 6_000)).toBe(past.at(BEGIN + 8_000))
  })

  it('knows what became of things', () => {
    expect(past.end().order.get('a')?.name).toBe('a4')
  })

  it('takes nothing twice', () => {
    past.add([moment(5, 3, { a: 'again' })])
    expect([past.seq, said(past, 99)]).toEqual([4, { a: 'a4', b: 'b' }])
  })

  it('steps by what changes, and over what is shown together', () => {
    const steps = new Past()
    steps.add([moment(1, 1, { a: '1' }), moment(1.2, 2, { a: '2' }), moment(5, 3, { a: '3' })])
    const [first, , last] = [1, 1.2, 5].map((s) => BEGIN + s * 1_000) as [number, number, number]
    expect([steps.after(BEGIN), steps.after(first), steps.after(last), steps.last]).toEqual([first, last, null, last])
    expect([steps.before(last + 500), steps.before(first), steps.before(BEGIN)]).toEqual([BEGIN + 1_200, null, null])
    expect(new Past().last).toBeNull()
  })

  it('jumps through a long lesson as if it had been played', () => {
    const long = new Past()
    for (let n = 1; n <= 1_000; n++) long.add([moment(n, n, { [`k${n % 7}`]: String(n) })])
    const played = (s: number): Record<string, string> => {
      const found: Record<string, string> = {}
      for (let n = 1; n <= s; n++) found[`k${n % 7}`] = String(n)
      return found
    }
    for (const s of [1_000, 3, 250, 200, 199, 201, 999, 400, 0, 601]) expect(said(long, s)).toEqual(played(s))
  })

  it('goes on after more was added', () => {
    const growing = new Past()
    growing.add([moment(1, 1, { a: 'a1' })])
    expect(said(growing, 99)).toEqual({ a: 'a1' })
    growing.add([moment(2, 2, { a: 'a2' })])
    expect([said(growing, 99), said(growing, 1)]).toEqual([{ a: 'a2' }, { a: 'a1' }])
  })
})

describe('fetching it', () => {
  const page = (moments: ReplayMoment[], more: boolean): ReplayActs => ({ lesson_id: 'l', moments, more })

  it('asks page by page, and shows what is played', async () => {
    const asked: number[] = []
    const acts = new Acts((after) => {
      asked.push(after)
      return Promise.resolve(after ? page([moment(5, 2, { a: 'a2' })], false) : page([moment(1, 1, { a: 'a1' })], true))
    })
    acts.show(BEGIN + 2_000)
    await acts.load(true)
    expect([asked, acts.known.value, acts.views.value.order.get('a')?.name]).toEqual([[0, 1], 2, 'a1'])
    acts.show(BEGIN + 4_999.9)
    expect(acts.views.value.order.get('a')?.name).toBe('a2')
    acts.show(BEGIN + 4_700)
    expect(acts.views.value.order.get('a')?.name).toBe('a1')
  })

  it('asks again while the lesson goes on, and after a fault, until it is stopped', async () => {
    vi.useFakeTimers()
    try {
      let times = 0
      const acts = new Acts(() => {
        times += 1
        return times === 1 ? Promise.reject(new Error('down')) : Promise.resolve(page([moment(times, times, {})], false))
      })
      await acts.load(false)
      await vi.advanceTimersByTimeAsync(11_000)
      expect(times).toBe(3)
      acts.stop()
      await vi.advanceTimersByTimeAsync(60_000)
      expect(times).toBe(3)
    } finally {
      vi.useRealTimers()
    }
  })
})

describe('the board of a recorded lesson', () => {
  const stroke = (seq: number, page: number, gone = false): unknown => ({ id: String(seq), what: 'stroke', seq, deck: 'd', page, by: 't', shape: 'line', colour: 'red', width: 20, points: [0, 0, 9, 9], text: '', gone })
  const page = (number: number, cleared = 0): unknown => ({ id: `pd:${number}`, what: 'page', deck: 'd', page: number, cleared })
  const shows = (number: number): unknown => ({ id: 'shown', what: 'shown', deck: number ? 'd' : '', page: number })
  const at = (s: number, ...board: unknown[]): ReplayMoment => ({ at: iso(s), seq: s, changes: { board } }) as unknown as ReplayMoment
  const past = new Past()
  past.add([
    at(1, page(1), shows(1)), at(2, stroke(2, 1)), at(3, page(2), shows(2)), at(4, stroke(4, 2)), at(5, stroke(5, 1)), at(6, shows(1)),
    at(7, stroke(5, 1, true)), at(8, stroke(5, 1)), at(9, page(1, 9)), at(10, shows(0)),
  ])
  const seen = (s: number): unknown => {
    const views = past.at(BEGIN + s * 1_000)
    return hasBoard(views) ? [standing(views).page, ...standing(views).strokes.map((one) => one.seq)] : null
  }
  const then = [null, [1], [1, 2], [2], [2, 4], [2, 4], [1, 2, 5], [1, 2], [1, 2, 5], [1], null]

  it('is the page and what stood on it at each moment', () => {
    expect(then.map((_, s) => seen(s))).toEqual(then)
  })

  it('is the same when somebody goes back, and jumps', () => {
    for (const s of [10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 6, 2, 9, 4, 7, 0, 10]) expect([s, seen(s)]).toEqual([s, then[s]])
  })
})
