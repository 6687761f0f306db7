import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { MediaAccess } from '../wire/types'
import { renditionFor, sourceMaker, type SourceMaker } from './source'
import { CLIMB_FIRST_MS, FIRST_PICTURE_MS, Player, waysHere, type Way } from './player'

const Source = { isTypeSupported: (type: string) => type.includes('avc1') }
const maker = (isTypeSupported: (type: string) => boolean) => ({ isTypeSupported }) as unknown as SourceMaker
const capable = (mime: string) => ({ getCapabilities: () => ({ codecs: [{ mimeType: mime }] }) })

class FakeConnection {
  localDescription = { sdp: '' }
  addTransceiver(): void { /* nothing is sent */ }
  async createOffer(): Promise<object> { return Promise.resolve({}) }
  async setLocalDescription(): Promise<void> { return Promise.resolve() }
  async setRemoteDescription(): Promise<void> { return Promise.resolve() }
  close(): void { /* nothing is open */ }
}

beforeEach(() => { vi.useFakeTimers() })
afterEach(() => {
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

describe('the ways that work here', () => {
  it.each([
    ['video/H264', true, '', ['peer', 'parts', 'voice']],
    ['video/VP8', true, 'maybe', ['parts', 'voice']],
    ['video/H264', false, '', ['peer']],
    ['video/H264', false, 'maybe', ['peer', 'hls', 'voice']],
    ['video/VP8', false, 'maybe', ['hls', 'voice']],
    ['video/VP8', false, '', []],
  ] as const)('with %s, a media source: %s, HLS: "%s"', (mime, source, hls, ways) => {
    vi.stubGlobal('document', { createElement: () => ({ canPlayType: () => hls }) })
    vi.stubGlobal('RTCPeerConnection', class { tracks = [] })
    vi.stubGlobal('RTCRtpReceiver', capable(mime))
    if (source) vi.stubGlobal('MediaSource', Source)
    expect(waysHere()).toEqual(ways)
  })
})

describe('the rendition', () => {
  it('has the voice as it came, or as AAC where there is no Opus', () => {
    const without = maker((type) => !type.includes('opus'))
    expect(renditionFor(without, 'picture')).toBe('picture_aac')
    expect(renditionFor(maker(Source.isTypeSupported), 'voice')).toBe('voice')
    vi.stubGlobal('MediaSource', without)
    expect(sourceMaker()).toBe(without)
  })
})

describe('a player', () => {
  let hidden = false
  /** What a <video> tells: pictures so far grow with the clock unless it stands still. */
  const element = { paused: false, still: false, frames: 0, removeAttribute: () => undefined, load: () => undefined, buffered: [], getVideoPlaybackQuality: () => ({ totalVideoFrames: element.still ? element.frames : ++element.frames }), currentTime: 0 }
  const video = element as unknown as HTMLVideoElement
  const played = (ways: Way[], plays: (way: Way) => boolean = () => false, access: MediaAccess | null = null) => {
    const tried: Way[] = []
    vi.stubGlobal('MediaSource', Source)
    vi.stubGlobal('RTCPeerConnection', FakeConnection)
    const player: Player = new Player({ grant: async () => Promise.resolve(access), video: () => video, onState: () => undefined, onWay: (way) => {
      tried.push(way)
      if (plays(way)) setTimeout(() => { player.shown() }, 100)
    }, onSource: () => undefined, hidden: () => hidden }, ways)
    player.start()
    return { player, tried }
  }
  beforeEach(() => {
    hidden = false
    element.still = false
  })
  const pass = async (ms: number) => { await vi.advanceTimersByTimeAsync(ms) }

  it('steps down when no picture comes, and begins at the top again when nothing does', async () => {
    const { player, tried } = played(['peer', 'parts', 'voice'])
    await pass(FIRST_PICTURE_MS * 3)
    expect(tried).toEqual(['peer', 'parts', 'voice', 'peer'])
    player.stop()
  })
  it('stays where there is a picture, until it is lost for as long', async () => {
    const { player, tried } = played(['peer', 'parts'], () => true)
    await pass(FIRST_PICTURE_MS * 5)
    expect(tried).toEqual(['peer'])
    player.lost()
    await pass(FIRST_PICTURE_MS)
    expect(tried).toEqual(['peer', 'parts'])
    player.stop()
  })
  it('goes from a picture that stands still to the next way, down to the voice, and stays there', async () => {
    element.still = true
    const { player, tried } = played(['peer', 'parts', 'voice'], () => true)
    await pass(16_000)
    expect(tried).toEqual(['peer', 'parts', 'voice'])
    player.stop()
  })
  it('tries the picture again, later each time that it does not last, and goes up when it does', async () => {
    element.still = true
    const { player, tried } = played(['parts', 'voice'], () => true)
    await pass(7_000)
    const began = tried.length
    await pass(CLIMB_FIRST_MS + 7_000)
    expect(tried.slice(began)).toEqual(['parts', 'voice'])
    await pass(CLIMB_FIRST_MS)
    expect(tried.slice(began)).toEqual(['parts', 'voice'])
    element.still = false
    await pass(CLIMB_FIRST_MS + 7_000)
    expect(tried.at(-1)).toBe('parts')
    await pass(CLIMB_FIRST_MS * 10)
    expect(tried.at(-1)).toBe('parts')
    player.stop()
  })
  it('gives a picture up only for a way that had one before', async () => {
    const never = played(['peer', 'parts', 'voice'], (way) => way === 'parts')
    await pass(CLIMB_FIRST_MS * 40)
    expect(never.tried).toEqual(['peer', 'parts'])
    never.player.stop()
    const before = played(['peer', 'parts', 'voice'], () => true)
    await pass(2_000)
    element.still = true
    await pass(5_000)
    element.still = false
    expect(before.tried).toEqual(['peer', 'parts'])
    await pass(CLIMB_FIRST_MS * 9)
    expect(before.tried).toEqual(['peer', 'parts', 'peer'])
    before.player.stop()
  })
  it('plays the voice alone for whoever wants that, and nothing else until they want the picture', async () => {
    const { player, tried } = played(['peer', 'parts', 'voice'], () => true)
    player.choose(true)
    await pass(CLIMB_FIRST_MS * 20)
    expect(tried).toEqual(['peer', 'voice'])
    player.choose(false)
    expect(tried).toEqual(['peer', 'voice', 'peer'])
    player.stop()
  })
  describe('that is refused', () => {
    /** Where the server has no place, and what it says is left. */
    const full = new Map<string, string | null>()
    const refusal = (place: string) => ({ code: 'uplink_spent', data: { next: full.get(place) ?? null } })
    class Socket {
      onopen?: () => void
      onmessage?: (message: { data: string }) => void
      constructor() { setTimeout(() => this.onopen?.(), 1) }
      send(said: string): void {
        const { rendition } = JSON.parse(said) as { rendition: string }
        if (full.has(rendition)) setTimeout(() => this.onmessage?.({ data: JSON.stringify(refusal(rendition)) }), 1)
      }
      close(): void { /* it is */ }
    }
    const refused = (ways: Way[], places: [string, string | null][]) => {
      full.clear()
      for (const [place, left] of places) full.set(place, left)
      vi.stubGlobal('WebSocket', Socket)
      vi.stubGlobal('window', { location: { href: 'https://school.example/' } })
      vi.stubGlobal('MediaStream', class { tracks = [] })
      vi.stubGlobal('fetch', async (url: string) => {
        const place = url.includes('hls') ? 'hls' : 'peer'
        const ok = !full.has(place)
        return Promise.resolve({ ok, headers: new Headers({ location: url }), json: async () => Promise.resolve(refusal(place)), text: async () => Promise.resolve('') })
      })
      const one = played(ways, (way) => !full.has(way === 'parts' ? 'picture' : way), { room: 'r', token: 't', whip: null, whep: '/whep', ice: [] })
      return one
    }
    it.each([
      [['peer', 'parts', 'voice'], 'parts', ['peer', 'parts']],
      [['peer', 'parts', 'voice'], 'voice', ['peer', 'voice']],
      [['peer', 'hls', 'voice'], 'parts', ['peer', 'hls']],
      [['peer', 'parts', 'voice'], null, ['peer']],
      [['peer'], 'voice', ['peer']],
    ] as [Way[], string | null, Way[]][])('%s goes to what it is told is left, %s, at once', async (ways, left, tried) => {
      const one = refused(ways, [['peer', left]])
      await pass(50)
      expect(one.tried).toEqual(tried)
      one.player.stop()
    })
    it('goes on from parts and from HLS as it does from WebRTC', async () => {
      for (const way of ['parts', 'hls'] as const) {
        const one = refused([way, 'voice'], [['picture', 'voice'], ['hls', 'voice']])
        await pass(50)
        expect(one.tried).toEqual([way, 'voice'])
        one.player.stop()
      }
    })
    it('asks again where it was refused, later each time, and is told again', async () => {
      const one = refused(['peer', 'parts', 'voice'], [['peer', 'voice']])
      await pass(CLIMB_FIRST_MS + 100)
      expect(one.tried).toEqual(['peer', 'voice', 'peer', 'voice'])
      await pass(CLIMB_FIRST_MS + 100)
      expect(one.tried).toHaveLength(4)
      full.clear()
      await pass(CLIMB_FIRST_MS)
      expect(one.tried.slice(4)).toEqual(['peer'])
      one.player.stop()
    })
  })
  it('does not judge what nobody sees', async () => {
    hidden = true
    const { player, tried } = played(['peer', 'parts'])
    await pass(FIRST_PICTURE_MS * 5)
    expect(tried).toEqual(['peer'])
    hidden = false
    await pass(FIRST_PICTURE_MS)
    expect(tried).toEqual(['peer', 'parts'])
    player.stop()
  })
  it('has one way and keeps to it', async () => {
    const { player, tried } = played(['peer'])
    await pass(FIRST_PICTURE_MS * 5)
    expect(tried).toEqual(['peer'])
    expect(player.hasVoice).toBe(false)
    player.stop()
  })
  it('gives HLS the time that its first segments take', async () => {
    vi.stubGlobal('fetch', async () => Promise.reject(new Error('away')))
    const { player, tried } = played(['peer', 'hls'])
    await pass(FIRST_PICTURE_MS * 3)
    expect(tried).toEqual(['peer', 'hls'])
    await pass(FIRST_PICTURE_MS)
    expect(tried).toEqual(['peer', 'hls', 'peer'])
    player.stop()
  })
  it('begins at the top when it is started anew', async () => {
    const { player, tried } = played(['peer', 'parts'])
    await pass(FIRST_PICTURE_MS)
    player.stop()
    player.start()
    expect(tried).toEqual(['peer', 'parts', 'peer'])
    player.stop()
  })
})
