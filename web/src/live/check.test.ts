import { describe, expect, it } from 'vitest'
import type { CheckAnswer } from '../wire/types'
import { LineCheck } from './check'

const access = (room: string, whip: string | null = null) => ({ room, token: `t-${room}`, whip, whep: `/media/whep/${room}`, ice: [] })
const COMMON: CheckAnswer = { common: access('check'), send: null, back: null }
const OWN: CheckAnswer = { ...COMMON, send: access('check-1', '/media/whip/check-1'), back: access('check-1') }
const LOOPED = { frames: 9, seconds: 3, width: 1, height: 1, codec: 'H264', lost: 0 }
const stream = {} as MediaStream

function doors(said: string[]) {
  return {
    reach: async (grant: { url: string }, protocol: string) => { said.push(`${protocol} ${grant.url}`); return Promise.resolve({ way: 'open' as const, ms: 1 }) },
    measure: async (room: string, token: string) => { said.push(`measure ${room} ${token}`); return Promise.resolve({ up: 1, down: 2 }) },
    loop: async (send: { url: string }, back: { url: string }) => { said.push(`loop ${send.url} ${back.url}`); return Promise.resolve(LOOPED) },
  }
}

describe('trying a line', () => {
  it('goes one step after the other', async () => {
    const said: string[] = []
    const check = new LineCheck(async () => Promise.resolve(OWN), doors(said))
    await check.run(stream, () => undefined)
    expect(said).toEqual(['udp /media/whep/check', 'tcp /media/whep/check', 'measure check t-check', 'loop /media/whip/check-1 /media/whep/check-1'])
    expect(check.found.value).toMatchObject({ running: false, pace: { up: 1, down: 2 }, loop: LOOPED, refusal: null })
  })
  it('sends no picture without one, and none of a trainee', async () => {
    for (const [answer, own] of [[OWN, null], [COMMON, stream]] as const) {
      const said: string[] = []
      const check = new LineCheck(async () => Promise.resolve(answer), doors(said))
      await check.run(own, () => undefined)
      expect(said).toHaveLength(3)
      expect(check.found.value.loop).toBeNull()
    }
  })
  it('takes what fails for shut and goes on', async () => {
    const failing = async () => Promise.reject(new Error('refused'))
    const check = new LineCheck(async () => Promise.resolve(OWN), { ...doors([]), reach: failing, loop: failing })
    await check.run(stream, () => undefined)
    expect(check.found.value).toMatchObject({ udp: { way: 'shut' }, tcp: { way: 'shut' }, pace: { up: 1 }, loop: { frames: 0 } })
  })
  it('says when it is refused', async () => {
    const check = new LineCheck(async () => Promise.reject(new Error('no line')), doors([]))
    await check.run(null, () => undefined)
    expect(check.found.value.refusal).not.toBeNull()
    expect(check.found.value.running).toBe(false)
  })
})
