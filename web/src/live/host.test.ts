import { afterEach, describe, expect, it, vi } from 'vitest'
import type { RosterRow } from '../wire/types'
import type { Line, LineState } from '../wire/socket'
import { HostRoom } from './host'

const row = (seat: number, present: boolean, visible: boolean): RosterRow =>
  ({ person_id: `p${seat}`, seat, name: '', present, visible, came: present, why: null, credit_ms: 0 })

describe('an instructor who reads too slowly', () => {
  afterEach(() => { vi.useRealTimers() })
  it('asks for all rows again when some were left out', async () => {
    vi.useFakeTimers()
    const heard = new Map<string, (payload: never) => void>()
    let state: (state: LineState) => void = () => undefined
    let joins = 0
    const line = {
      request: (event: string) => { joins += event === 'lesson:join' ? 1 : 0; return Promise.resolve({ roster: [row(joins, true, true)] }) },
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
