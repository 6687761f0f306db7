import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Cell, RosterRow } from '../wire/types'
import type { Line, LineState } from '../wire/socket'
import { HostRoom, byAttention, count, reach } from './host'

const cell = (slot: number): Cell => ({ slot, open_ms: 0, credit_ms: 0, reasons: [], sealed: true, corrected_ms: null, pending_ms: 0, refused: [], cut: [], grade: 0, detail: null })
const row = (seat: number, present: boolean, visible: boolean, credit_ms = 0): RosterRow =>
  ({ person_id: `p${seat}`, seat, name: '', present, visible, cells: [], credit_ms })

describe('the roster', () => {
  const roster = [row(1, true, true), row(2, false, false), row(3, true, false), row(4, false, false, 9), row(5, true, true)]
  it('shows first who needs a look', () => { expect(byAttention(roster).map((r) => r.seat)).toEqual([3, 4, 1, 5, 2]) })
  it('knows who came and earned nothing', () => {
    const lost = { ...row(6, false, false), cells: [{ ...cell(1), reasons: [{ code: 'disconnected' as const, ms: 9 }] }] }
    expect(byAttention([...roster, lost]).map((r) => r.seat)).toEqual([3, 4, 6, 1, 5, 2])
  })
  it('is counted', () => { expect(count(roster)).toEqual({ front: 2, behind: 1, away: 2, all: 5 }) })
  it('reaches from its first to its last minute', () => {
    expect(reach([{ cells: [cell(5), cell(6)] }, { cells: [] }, { cells: [cell(4)] }])).toEqual({ first: 4, last: 6 })
    expect(reach([{ cells: [] }])).toBeNull()
  })
})

describe('an instructor who reads too slowly', () => {
  afterEach(() => { vi.useRealTimers() })
  it('asks for all rows again when some were left out', async () => {
    vi.useFakeTimers()
    const heard = new Map<string, (payload: never) => void>()
    let state: (state: LineState) => void = () => undefined
    let joins = 0
    const line = {
      request: () => { joins += 1; return Promise.resolve({ roster: [row(joins, true, true)] }) },
      on: (event: string, hears: (payload: never) => void) => { heard.set(event, hears) },
      onState: (hears: (state: LineState) => void) => { state = hears },
      open: () => undefined, close: () => undefined,
    } as unknown as Line
    const room = new HostRoom(line, 'l', 'desktop', 'page-one')
    state('connected')
    await vi.advanceTimersByTimeAsync(0)
    expect(room.view.value.roster.map((one) => one.seat)).toEqual([1])
    heard.get('lesson:missed')?.({} as never)
    await vi.advanceTimersByTimeAsync(0)
    expect(room.view.value.roster.map((one) => one.seat)).toEqual([2])
    room.close()
  })
})
