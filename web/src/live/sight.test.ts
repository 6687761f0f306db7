import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Cell, LiveStrips } from '../wire/types'
import { MOST_ASKED, Sight } from './sight'

const cell = (slot: number, sealed: boolean, credit_ms = 60_000): Cell =>
  ({ slot, open_ms: 60_000, credit_ms, reasons: [], sealed, corrected_ms: null, pending_ms: 0, refused: [], cut: [], grade: 0, detail: null })

let asked: { people: string[]; since: number }[]
let answer: (people: string[], since: number) => LiveStrips
let sight: Sight
const settle = async () => { for (let i = 0; i < 30; i += 1) await Promise.resolve() }
const told = (people: string[], cells: Cell[], last = 105): LiveStrips => ({ lesson_id: 'l', first_slot: 100, last_slot: last, rows: people.map((person_id) => ({ person_id, cells })) })

beforeEach(() => {
  vi.useFakeTimers()
  vi.setSystemTime(106 * 60_000)
  asked = []
  answer = (people) => told(people, [cell(103, true), cell(104, false), cell(105, false)])
  sight = new Sight((people, since) => {
    asked.push({ people, since })
    return Promise.resolve().then(() => answer(people, since))
  }, 30)
})
afterEach(() => {
  sight.close()
  vi.useRealTimers()
})

describe('the strips in sight', () => {
  it('are asked for once the list rests, then only what may still change', async () => {
    sight.see(['a', 'b'])
    expect(asked).toEqual([])
    await vi.advanceTimersByTimeAsync(200)
    expect(asked).toEqual([{ people: ['a', 'b'], since: 77 }])
    expect(sight.view.value.cells.get('a')?.map((one) => one.slot)).toEqual([103, 104, 105])
    answer = (people) => told(people, [cell(104, true), cell(105, true), cell(106, false)], 106)
    await vi.advanceTimersByTimeAsync(5_000)
    expect(asked.slice(1)).toEqual([{ people: ['a', 'b'], since: 104 }])
    expect(sight.view.value.cells.get('b')?.map((one) => one.sealed)).toEqual([true, true, true, false])
    expect(sight.view.value).toMatchObject({ first: 100, last: 106 })
  })
  it('are not asked for while the list moves', async () => {
    for (let at = 0; at < 20; at += 1) {
      sight.see([`p${at}`])
      await vi.advanceTimersByTimeAsync(100)
    }
    expect(asked).toEqual([])
    await vi.advanceTimersByTimeAsync(100)
    expect(asked.map((one) => one.people)).toEqual([['p19']])
  })
  it('are at most as many as the server answers for', async () => {
    sight.see(Array.from({ length: 99 }, (_, at) => `p${at}`))
    await vi.advanceTimersByTimeAsync(200)
    expect(asked[0]?.people.length).toBe(MOST_ASKED)
  })
  it('are kept for some, not for thousands; those in sight always', async () => {
    for (let at = 0; at < 20; at += 1) {
      sight.see(['stays', ...Array.from({ length: 30 }, (_, i) => `p${at}-${i}`)])
      await vi.advanceTimersByTimeAsync(200)
    }
    const { cells } = sight.view.value
    expect(cells.size).toBe(240)
    expect(cells.has('stays') && cells.has('p19-29') && !cells.has('p0-0')).toBe(true)
  })
  it('keep no minute from before what is shown', async () => {
    sight.see(['a'])
    await vi.advanceTimersByTimeAsync(200)
    answer = (people) => told(people, [cell(140, false)], 140)
    await vi.advanceTimersByTimeAsync(5_000)
    expect(sight.view.value.cells.get('a')?.map((one) => one.slot)).toEqual([140])
  })
  it('are asked for again when an answer was lost', async () => {
    answer = () => { throw new Error('offline') }
    sight.see(['a'])
    await vi.advanceTimersByTimeAsync(200)
    expect(sight.view.value.cells.size).toBe(0)
    answer = (people) => told(people, [cell(103, true)])
    await vi.advanceTimersByTimeAsync(5_000)
    expect(sight.view.value.cells.has('a')).toBe(true)
  })
  it('are asked for one after the other, also when somebody comes into sight meanwhile', async () => {
    let let_go: (() => void) | undefined
    const slow = new Sight(async (people, since) => {
      asked.push({ people, since })
      await new Promise<void>((done) => { let_go = done })
      return told(people, [])
    }, 30)
    slow.see(['a'])
    await vi.advanceTimersByTimeAsync(200)
    slow.see(['b'])
    await vi.advanceTimersByTimeAsync(200)
    expect(asked.map((one) => one.people)).toEqual([['a']])
    let_go?.()
    await settle()
    expect(asked.map((one) => one.people)).toEqual([['a'], ['b']])
    slow.close()
  })
})
