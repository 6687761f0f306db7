import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { renditionFor, sourceMaker, type SourceMaker } from './source'
import { FIRST_PICTURE_MS, Player, waysHere, type Way } from './player'

const Source = { isTypeSupported: (type: string) => type.includes('avc1') }
const maker = (isTypeSupported: (type: string) => boolean) => ({ isTypeSupported }) as unknown as SourceMaker
const capable = (mime: string) => ({ getCapabilities: () => ({ codecs: [{ mimeType: mime }] }) })

beforeEach(() => { vi.useFakeTimers() })
afterEach(() => {
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

describe('the ways that work here', () => {
  it.each([
    ['video/H264', true, '', ['peer', 'parts']],
    ['video/VP8', true, 'maybe', ['parts']],
    ['video/H264', false, '', ['peer']],
    ['video/H264', false, 'maybe', ['peer', 'hls']],
    ['video/VP8', false, 'maybe', ['hls']],
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
  const played = (ways: Way[]) => {
    const tried: Way[] = []
    vi.stubGlobal('MediaSource', Source)
    vi.stubGlobal('RTCPeerConnection', class { close(): void { /* nothing is open */ } })
    const player = new Player({ grant: async () => Promise.resolve(null), video: () => null, onState: () => undefined, onWay: (way) => { tried.push(way) }, onSource: () => undefined, hidden: () => hidden }, ways)
    player.start()
    return { player, tried }
  }
  it('steps down when no picture comes, and up again when that does not help', async () => {
    const { player, tried } = played(['peer', 'parts'])
    await vi.advanceTimersByTimeAsync(FIRST_PICTURE_MS * 2)
    expect(tried).toEqual(['peer', 'parts', 'peer'])
    player.stop()
  })
  it('stays where there is a picture, until it is lost for as long', async () => {
    const { player, tried } = played(['peer', 'parts'])
    player.shown()
    await vi.advanceTimersByTimeAsync(FIRST_PICTURE_MS * 5)
    expect(tried).toEqual(['peer'])
    player.lost()
    await vi.advanceTimersByTimeAsync(FIRST_PICTURE_MS)
    expect(tried).toEqual(['peer', 'parts'])
    player.stop()
  })
  it('does not judge what nobody sees', async () => {
    hidden = true
    const { player, tried } = played(['peer', 'parts'])
    await vi.advanceTimersByTimeAsync(FIRST_PICTURE_MS * 5)
    expect(tried).toEqual(['peer'])
    hidden = false
    await vi.advanceTimersByTimeAsync(FIRST_PICTURE_MS)
    expect(tried).toEqual(['peer', 'parts'])
    player.stop()
  })
  it('has one way and keeps to it', async () => {
    const { player, tried } = played(['peer'])
    await vi.advanceTimersByTimeAsync(FIRST_PICTURE_MS * 5)
    expect(tried).toEqual(['peer'])
    player.stop()
  })
  it('gives HLS the time that its first segments take', async () => {
    vi.stubGlobal('fetch', async () => Promise.reject(new Error('away')))
    const { player, tried } = played(['peer', 'hls'])
    await vi.advanceTimersByTimeAsync(FIRST_PICTURE_MS * 3)
    expect(tried).toEqual(['peer', 'hls'])
    await vi.advanceTimersByTimeAsync(FIRST_PICTURE_MS)
    expect(tried).toEqual(['peer', 'hls', 'peer'])
    player.stop()
  })
  it('begins at the top when it is started anew', async () => {
    const { player, tried } = played(['peer', 'parts'])
    await vi.advanceTimersByTimeAsync(FIRST_PICTURE_MS)
    player.stop()
    player.start()
    expect(tried).toEqual(['peer', 'parts', 'peer'])
    player.stop()
  })
})
