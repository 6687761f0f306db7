import { describe, expect, it } from 'vitest'
import type { CaptureFault } from '../media/capture'
import type { MediaAccess, StageView } from '../wire/types'
import { OwnPlace, invited, line, onStage, placeOf, type Doors } from './stage'

const view = (id: string, more: Partial<StageView> = {}): StageView => ({
  id, name: id, hand: null, turns: 0, where: '', number: 0, at: null, voice: false, picture: false,
  own_voice: true, own_picture: true, may_voice: true, may_picture: true, silenced: false, why: null, ...more,
})
const stages = (...all: StageView[]) => new Map(all.map((one) => [one.id, one]))

describe('the line', () => {
  it('has who was never on stage first, then who raised a hand first', () => {
    const all = stages(view('a', { hand: 9 }), view('b', { hand: 2, turns: 1 }), view('c', { hand: 5 }), view('d'))
    expect(line(all).map((one) => one.id)).toEqual(['c', 'a', 'b'])
    expect([placeOf(all, 'c'), placeOf(all, 'a'), placeOf(all, 'b'), placeOf(all, 'd')]).toEqual([1, 2, 3, null])
  })

  it('is apart from those invited and on stage, who come in their order', () => {
    const all = stages(view('a', { where: 'on', number: 3 }), view('b', { where: 'on', number: 1 }), view('c', { where: 'invited', number: 2 }))
    expect([onStage(all).map((one) => one.id), invited(all).map((one) => one.id)]).toEqual([['b', 'a'], ['c']])
  })
})

class Track {
  enabled = true
  stopped = false
}

/** A browser and a server by hand. */
class Browser {
  readonly did: string[] = []
  refuse = false
  hold: (() => void) | null = null
  readonly track = new Track()
  readonly doors: Doors = {
    capture: async (picture) => {
      this.did.push(`capture ${String(picture)}`)
      if (this.refuse) throw new Error('no')
      if (this.hold) await new Promise<void>((go) => { this.hold = go })
      return { getAudioTracks: () => [this.track], getVideoTracks: () => [] } as unknown as MediaStream
    },
    faultOf: (): CaptureFault => 'denied',
    release: (stream) => { if (stream) this.did.push('release') },
    token: async (number) => { this.did.push(`token ${String(number)}`); return Promise.resolve(null as MediaAccess | null) },
    publish: (token) => ({
      start: () => { this.did.push('start'); void token(false) },
      stop: () => { this.did.push('stop') },
      show: async (picture) => { this.did.push(`show ${String(picture)}`); return Promise.resolve() },
    }),
  }
}

const invitedTo = (number: number) => view('me', { where: 'invited', number })
const on = (number: number, more: Partial<StageView> = {}) => view('me', { where: 'on', number, ...more })

describe('the own place', () => {
  it('tries the devices, sends the same stream and lets it go', async () => {
    const browser = new Browser()
    const own = new OwnPlace(browser.doors)
    await own.follow(invitedTo(1))
    expect(await own.open(true)).not.toBeNull()
    await own.follow(on(1))
    expect(browser.did).toEqual(['capture true', 'show true', 'start', 'token 1', 'show true'])
    browser.did.length = 0
    await own.follow(view('me', { why: 'taken_down' }))
    expect(browser.did).toEqual(['stop', 'release'])
    expect(own.view.value.stream).toBeNull()
  })

  it('comes back by itself after a reload, and says what is wrong when it cannot', async () => {
    const browser = new Browser()
    const own = new OwnPlace(browser.doors)
    await own.follow(on(4, { own_picture: false }))
    expect(browser.did).toEqual(['capture false', 'show false', 'start', 'token 4', 'show false'])
    const other = new Browser()
    other.refuse = true
    const lost = new OwnPlace(other.doors)
    await lost.follow(on(4))
    expect([other.did, lost.view.value.fault]).toEqual([['capture true'], 'denied'])
    other.refuse = false
    await lost.again(on(4))
    expect([other.did.at(-2), lost.view.value.fault]).toEqual(['token 4', null])
  })

  it('sends no voice that is off, by whomever', async () => {
    const browser = new Browser()
    const own = new OwnPlace(browser.doors)
    for (const [more, heard] of [[{}, true], [{ own_voice: false }, false], [{ silenced: true }, false], [{ may_voice: false }, false], [{}, true]] as const) {
      await own.follow(on(1, more))
      expect(browser.track.enabled).toBe(heard)
    }
  })

  it('sends no picture that is not allowed', async () => {
    const browser = new Browser()
    const own = new OwnPlace(browser.doors)
    await own.follow(on(1))
    await own.follow(on(1, { may_picture: false }))
    expect(browser.did.at(-1)).toBe('show false')
  })

  it('lets devices go that are opened too late', async () => {
    const browser = new Browser()
    browser.hold = () => undefined
    const own = new OwnPlace(browser.doors)
    const opening = own.open(true)
    await own.follow(view('me'))
    browser.hold()
    expect(await opening).toBeNull()
    expect([browser.did, own.view.value.stream]).toEqual([['capture true', 'release'], null])
  })

  it('is another place at each invitation', async () => {
    const browser = new Browser()
    const own = new OwnPlace(browser.doors)
    await own.follow(on(1))
    await own.follow(on(2))
    expect(browser.did.filter((each) => /stop|token/.test(each))).toEqual(['token 1', 'stop', 'token 2'])
    own.close()
    expect(browser.did.slice(-2)).toEqual(['stop', 'release'])
  })
})
