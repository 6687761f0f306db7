import { beforeEach, describe, expect, it, vi } from 'vitest'
import { Beside } from './beside'
import type { Deck } from './deck'
import type { Listed } from './playlist'

const REEL = { init: 'init', codecs: 'avc1.42e01f,opus' }
const listed = (begins: number, ends: number, over = true): Listed => ({ pieces: [{ reel: REEL, url: 'one', begins, ends }], over })

/** An element whose deck is at a moment, and what was done to them. */
function stand(list: Listed) {
  const video = { readyState: 4, seeking: false, playbackRate: 1, paused: true, pause() { this.paused = true }, play() { this.paused = false; return Promise.resolve() } }
  const deck = { moment: 100, ended: false, grow: vi.fn(), go: vi.fn((moment: number) => { deck.moment = moment }), look: vi.fn(), stop: vi.fn() } satisfies Deck
  const ask = vi.fn(() => Promise.resolve(list))
  const beside = new Beside(video as unknown as HTMLVideoElement, ask, () => deck)
  return { beside, video, deck, ask }
}
const lead = (moment: number, rate = 1, still = false) => ({ moment, rate, still })

describe('what plays beside a recording', () => {
  let now = 0
  beforeEach(() => {
    now = 1_000
    vi.spyOn(performance, 'now').mockImplementation(() => now)
  })

  it('jumps to where the lead is, and plays with it', async () => {
    const { beside, video, deck } = stand(listed(100, 200))
    await beside.read()
    beside.follow(lead(150))
    expect([deck.go.mock.calls, video.paused, video.playbackRate]).toEqual([[[150]], false, 1])
  })

  it.each([[100.05, 1], [100.2, 1.1], [99.8, 0.9]])('catches up without a jump: at 100, the lead at %f, it goes %f times as fast', async (moment, rate) => {
    const { beside, video, deck } = stand(listed(90, 200))
    await beside.read()
    beside.follow(lead(moment))
    expect([deck.go.mock.calls.length, video.playbackRate]).toEqual([0, rate])
    beside.follow(lead(moment, 2))
    expect(video.playbackRate).toBeCloseTo(2 * rate)
  })

  it('is still with the lead, and where nothing was recorded', async () => {
    const { beside, video, deck } = stand(listed(100, 200))
    await beside.read()
    beside.follow(lead(100))
    expect(video.paused).toBe(false)
    beside.follow(lead(100, 1, true))
    expect(video.paused).toBe(true)
    for (const moment of [99, 201]) {
      beside.follow(lead(moment))
      expect([video.paused, beside.shows(moment), deck.go.mock.calls.length]).toEqual([true, false, 0])
    }
  })

  it('asks for its list when it is needed, again while it grows, and after the line was away', async () => {
    const { beside, deck, ask } = stand(listed(100, 200, false))
    ask.mockRejectedValueOnce(new Error('away'))
    for (const at of [1_000, 2_000, 6_000, 6_500, 11_000]) {
      now = at
      beside.follow(lead(150))
      await Promise.resolve()
      await Promise.resolve()
    }
    expect([ask.mock.calls.length, deck.grow.mock.calls.length]).toEqual([3, 1])
    now = 20_000
    beside.follow(lead(130))
    expect(ask.mock.calls.length).toBe(3)
  })

  it('plays nothing that comes after it was left', async () => {
    const { beside, deck } = stand(listed(100, 200))
    const reading = beside.read()
    beside.stop()
    await reading
    beside.follow(lead(150))
    expect(deck.look.mock.calls.length).toBe(0)
  })
})
