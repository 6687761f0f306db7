import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { AskGrant } from './peer'
import { Viewer } from './whep'
import { Publisher } from './whip'

class FakeConnection {
  connectionState = 'new'
  localDescription = { sdp: 'v=0' }
  onconnectionstatechange: (() => void) | null = null
  setConfiguration(configuration: RTCConfiguration): void { told.push(configuration) }
  addTransceiver(): void { /* nothing is sent */ }
  async createOffer(): Promise<object> { return Promise.resolve({}) }
  async setLocalDescription(): Promise<void> { return Promise.resolve() }
  async setRemoteDescription(): Promise<void> { return Promise.resolve() }
  close(): void { this.connectionState = 'closed' }
}

interface Asked { method: string; url: string; token: string }
let asked: Asked[]
let told: RTCConfiguration[]
let status: number

beforeEach(() => {
  vi.useFakeTimers()
  asked = []
  told = []
  status = 201
  vi.stubGlobal('MediaStream', class { tracks = [] })
  vi.stubGlobal('RTCPeerConnection', FakeConnection)
  vi.stubGlobal('fetch', async (url: string, init: { method: string; headers: Record<string, string> }) => {
    asked.push({ method: init.method, url, token: init.headers['authorization'] ?? '' })
    return Promise.resolve({ ok: status < 300, status, headers: new Headers({ location: `${url}/1` }), text: async () => Promise.resolve('v=0') })
  })
})
afterEach(() => {
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

const viewer = (says: boolean[]) => {
  let number = 0
  const grant = async (again: boolean) => {
    says.push(again)
    number += 1
    return Promise.resolve({ url: '/whep', token: `t${number}` })
  }
  return new Viewer(grant, () => undefined, () => undefined)
}

describe('a connection for media', () => {
  it('asks for a fresh token at each try after one that failed', async () => {
    const says: boolean[] = []
    status = 401
    const one = viewer(says)
    one.start()
    await vi.advanceTimersByTimeAsync(2_000)
    expect(says).toEqual([false, true, true])
    expect(asked.map((each) => each.token)).toEqual(['Bearer t1', 'Bearer t2', 'Bearer t3'])
    one.stop()
  })
  it.each([
    ['a publisher, for whom everybody waits', 11, (says: AskGrant) => new Publisher(says, () => undefined, () => null)],
    ['a viewer', 5, (says: AskGrant) => new Viewer(says, () => undefined, () => undefined)],
  ])('tries again in ten seconds as often as is fit for %s', async (_who, most, made) => {
    status = 503
    let tries = 0
    const one = made(() => {
      tries += 1
      return Promise.resolve({ url: '/media', token: 't' })
    })
    one.start()
    await vi.advanceTimersByTimeAsync(10_000)
    expect(tries).toBe(most)
    one.stop()
  })
  it('ends its resource with the token that opened it', async () => {
    const one = viewer([])
    one.start()
    await vi.advanceTimersByTimeAsync(0)
    one.stop()
    await vi.advanceTimersByTimeAsync(0)
    expect(asked).toEqual([{ method: 'POST', url: '/whep', token: 'Bearer t1' }, { method: 'DELETE', url: '/whep/1', token: 'Bearer t1' }])
  })
  it('hears of servers that may help before anything is gathered', async () => {
    const ice = [{ urls: ['turn:a'], username: '9:keshi', credential: 'c' }]
    for (const servers of [[], ice]) {
      const one = new Viewer(async () => Promise.resolve({ url: '/whep', token: 't', ice: servers }), () => undefined, () => undefined)
      one.start()
      await vi.advanceTimersByTimeAsync(0)
      one.stop()
    }
    expect(told).toEqual([{ bundlePolicy: 'max-bundle', iceServers: ice }])
  })
  it('is not begun when it was stopped while it asked', async () => {
    const one = viewer([])
    one.start()
    one.stop()
    await vi.advanceTimersByTimeAsync(20_000)
    expect(asked).toEqual([])
  })
  it('begins anew at once when the other side has lost it, and only then', async () => {
    const made: FakeConnection[] = []
    vi.stubGlobal('RTCPeerConnection', class extends FakeConnection {
      constructor() {
        super()
        made.push(this)
      }
    })
    const says: boolean[] = []
    const one = viewer(says)
    one.renew()
    one.start()
    await vi.advanceTimersByTimeAsync(0)
    one.renew()
    await vi.advanceTimersByTimeAsync(0)
    expect(says).toEqual([false])
    const [first] = made
    if (first) first.connectionState = 'connected'
    first?.onconnectionstatechange?.()
    one.renew()
    await vi.advanceTimersByTimeAsync(1)
    expect(says).toEqual([false, true])
    expect(made.length).toBe(2)
    one.stop()
  })
})
