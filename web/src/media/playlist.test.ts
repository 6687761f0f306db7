import { describe, expect, it } from 'vitest'
import { alike, hasPicture, mediaTime, pieceAt, readPlaylist, there } from './playlist'

const TEXT = `#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:5
#EXT-X-PLAYLIST-TYPE:VOD
#codecs avc1.42e01f,opus
#EXT-X-MAP:URI="picture/1/0/800.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T09:00:00.000Z
#EXTINF:4.000,
picture/1/800/50.mp4
#EXTINF:4.500,
picture/1/850/60.mp4
#EXT-X-DISCONTINUITY
#codecs opus
#EXT-X-MAP:URI="picture/2/0/700.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T09:01:00.000Z
#EXTINF:2.000,
picture/2/700/9.mp4
`
const HOME = 'https://ke.example.cn/api/v1/lessons/a/replay/'
const NINE = Date.parse('2026-11-23T09:00:00Z') / 1000
const list = readPlaylist(`${TEXT}#EXT-X-ENDLIST\n`, `${HOME}picture.m3u8`)

describe('a playlist', () => {
  it('says when each stretch of a file was', () => {
    expect(list.over).toBe(true)
    expect(list.pieces.map(({ url, begins, ends }) => [url, begins - NINE, ends - NINE])).toEqual([
      [`${HOME}picture/1/800/50.mp4`, 0, 4], [`${HOME}picture/1/850/60.mp4`, 4, 8.5], [`${HOME}picture/2/700/9.mp4`, 60, 62],
    ])
    expect(list.pieces.map(({ reel }) => [reel.init, reel.codecs])).toEqual([
      ...Array(2).fill([`${HOME}picture/1/0/800.mp4`, 'avc1.42e01f,opus']) as string[][], [`${HOME}picture/2/0/700.mp4`, 'opus'],
    ])
  })
  it('leaves out the last stretch while it may still grow', () => {
    expect(readPlaylist(TEXT, HOME)).toMatchObject({ over: false, pieces: { length: 2 } })
  })
  it('ends a stretch where the next one begins', () => {
    const early = readPlaylist(`${TEXT.replace('09:01:00', '09:00:08')}#EXT-X-ENDLIST`, HOME)
    expect(early.pieces.map((piece) => piece.ends - NINE)).toEqual([4, 8, 10])
  })
})

describe('a moment', () => {
  it('is in what was recorded then, or before what comes next', () => {
    const found = (at: number) => pieceAt(list.pieces, NINE + at)?.url.at(-5)
    expect([0, 4, 30, 61.9, 62].map(found)).toEqual(['0', '0', '9', '9', undefined])
    expect([-1, 0, 8.4, 8.5, 60, 62].map((at) => there(list, NINE + at))).toEqual([false, true, true, false, true, false])
  })
})

describe('files', () => {
  it('are alike when both have pictures, or neither', () => {
    const [seen, heard] = [{ init: '', codecs: 'avc1.42e01f,opus' }, { init: '', codecs: 'opus' }]
    expect([hasPicture(seen), hasPicture(heard), alike(seen, heard), alike(heard, heard)]).toEqual([true, false, false, true])
  })
  it('say their time in the scale of the track that they name', () => {
    const part = new DataView(new ArrayBuffer(32))
    part.setUint32(12, 1)
    part.setBigUint64(24, 270_000n)
    expect(mediaTime(part.buffer)).toBe(3)
    part.setUint32(12, 2)
    expect(mediaTime(part.buffer)).toBe(5.625)
  })
})
