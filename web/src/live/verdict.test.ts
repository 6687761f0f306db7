import { describe, expect, it } from 'vitest'
import { check as zh } from '../ui/catalogue/zh-CN.check'
import { overall, verdict, type Facts, type Item } from './verdict'

const words: Record<string, string> = zh
const WELL: Facts = {
  teaches: false, secure: true, h264: true, parts: true, device: 'ok', heard: true,
  udp: { way: 'open', ms: 12 }, tcp: { way: 'open', ms: 13 }, pace: { up: 4_000, down: 4_000 },
  loop: { frames: 90, seconds: 3, width: 1280, height: 720, codec: 'H264', lost: 0 },
}
const one = (name: string, facts: Partial<Facts>): Item | undefined => verdict({ ...WELL, ...facts }).find((each) => each.name === name)
const short = (found: Item | undefined) => `${found?.level ?? ''} ${found?.word ?? ''}`
const SHUT = { way: 'shut', port: 8090 } as const

describe('the check before a lesson', () => {
  it('says that all is well when it is', () => {
    expect(overall(verdict(WELL))).toBe('ok')
    expect(overall(verdict({ ...WELL, teaches: true }))).toBe('ok')
    expect(overall(verdict({ ...WELL, device: null }))).toBe('ok')
    expect(overall(verdict({ ...WELL, device: null, teaches: true }))).toBe('waiting')
    expect(verdict(WELL).map((each) => each.name)).not.toContain('loop')
  })
  it('waits for what is not known yet', () => { expect(overall(verdict({ ...WELL, pace: null }))).toBe('waiting') })
  it.each<[string, Partial<Facts>, string]>([
    ['udp', { udp: SHUT }, 'look tcp'],
    ['udp', { udp: SHUT, tcp: { way: 'unoffered' } }, 'look parts'],
    ['udp', { udp: SHUT, tcp: SHUT, pace: { code: 'shut' } }, 'bad none'],
    ['udp', { udp: SHUT, tcp: SHUT, teaches: true }, 'bad teach'],
    ['tcp', { tcp: SHUT }, 'ok spare'],
    ['tcp', { tcp: SHUT, udp: SHUT }, 'look shut'],
    ['socket', { pace: { code: 'shut' } }, 'bad shut'],
    ['socket', { pace: { code: 'check_busy' } }, 'ok open'],
    ['down', { pace: { code: 'check_busy' } }, 'look busy'],
    ['down', { pace: { down: 700, up: 9 } }, 'look small'],
    ['down', { pace: { down: 200, up: 9 } }, 'bad little'],
    ['up', { pace: { down: 2_000, up: 9 } }, 'ok ok'],
    ['up', { pace: { down: 2_000, up: 700 }, teaches: true }, 'look small'],
    ['up', { pace: { down: 2_000, up: 9 }, teaches: true }, 'bad little'],
    ['codecs', { h264: false }, 'look parts'],
    ['codecs', { h264: null, parts: false }, 'look peer'],
    ['codecs', { h264: false, parts: false }, 'bad none'],
    ['device', { device: 'denied' }, 'look denied'],
    ['device', { device: 'denied', teaches: true }, 'bad denied'],
    ['device', { device: null }, 'later later'],
    ['voice', { heard: false }, 'look silent'],
    ['secure', { secure: false, teaches: true }, 'bad not'],
  ])('judges %s with %j', (name, facts, expected) => { expect(short(one(name, facts))).toBe(expected) })
  it.each<[Partial<NonNullable<Facts['loop']>>, Partial<Facts>, string]>([
    [{}, {}, 'ok ok'], [{ frames: 0 }, {}, 'bad none'], [{ frames: 0 }, { udp: SHUT, tcp: SHUT }, 'bad shut'],
    [{ codec: 'VP8' }, {}, 'look codec'], [{ lost: 0.1 }, {}, 'look weak'], [{ frames: 9 }, {}, 'look weak'],
  ])('judges a picture that came back as %j %j', (loop, facts, expected) => {
    expect(short(one('loop', { ...facts, teaches: true, loop: { frames: 90, seconds: 3, width: 1280, height: 720, codec: 'H264', lost: 0, ...loop } }))).toBe(expected)
  })
  it('has words for each, and what to do for all that is not well', () => {
    const pieces: Partial<Facts>[] = [
      {}, { udp: SHUT }, { udp: SHUT, tcp: SHUT }, { udp: SHUT, tcp: { way: 'unoffered' } }, { pace: { code: 'shut' } }, { pace: { code: 'check_too_often' } },
      { pace: { up: 600, down: 600 } }, { pace: { up: 1, down: 1 } }, { h264: false }, { parts: false }, { h264: false, parts: false }, { heard: false }, { secure: false },
      { udp: SHUT, tcp: SHUT, pace: { code: 'shut' } },
    ]
    for (const piece of pieces) for (const teaches of [true, false]) for (const frames of [0, 9, 90]) {
      const items = verdict({ ...WELL, teaches, loop: { frames, seconds: 3, width: 1, height: 1, codec: 'H264', lost: 0 }, ...piece })
      for (const { name, word, level } of items) {
        expect(words, name).toHaveProperty([`precheck.${name}.${word}`])
        if (level !== 'ok') expect(words, name).toHaveProperty([`precheckHow.${name}.${word}`])
      }
    }
  })
})
