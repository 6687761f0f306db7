import { describe, expect, it } from 'vitest'
import { faultOf, loudness } from './capture'
import { preferH264 } from './whip'

describe('codecs', () => {
  it('put whole-frame baseline H.264 first and keep the rest', () => {
    const given = [
      { mimeType: 'video/VP8' },
      { mimeType: 'video/H264', sdpFmtpLine: 'packetization-mode=0;profile-level-id=42e01f' },
      { mimeType: 'video/H264', sdpFmtpLine: 'packetization-mode=1;profile-level-id=42e01f' },
    ]
    expect(preferH264(given)).toEqual([given[2], given[1], given[0]])
  })
})

describe('the meter', () => {
  it('reads silence, half and full', () => {
    expect(loudness(new Float32Array(8))).toBe(0)
    expect(loudness(new Float32Array(8).fill(1))).toBe(1)
    expect(loudness(new Float32Array(8).fill(0.0316))).toBeCloseTo(0.5, 1)
  })
})

describe('a camera that fails', () => {
  it.each([['NotAllowedError', 'denied'], ['NotFoundError', 'none'], ['NotReadableError', 'busy'], ['Odd', 'unknown']])('%s is %s', (name, fault) => {
    const error = new Error(name)
    error.name = name
    expect(faultOf(error)).toBe(fault)
  })
})
