import { sha256 } from '@noble/hashes/sha2.js'
import { describe, expect, it } from 'vitest'
import { SCHEME, TRAINING_CLASS, type Rec } from './formats'
import { rulesOf } from './hours'
import { hex } from './notes'
import { cutMs, Schemes } from './settled'
import type { Bytes } from './tree'

const HOME = 'cc'.repeat(8)
const utf8 = new TextEncoder()
const OWN = hex(sha256(utf8.encode('own/1')).subarray(0, 8))
const SAID = { class_hour_ms: 60_000, daily_cap_ms: 100_000 }
const record = (kind: number, text: Bytes, slot = 5): Rec => ({ kind, version: 1, slot, seq: 0, subject: '', session: '', resource: '', mode: 0, creditMs: 0, flags: 0, evidence: sha256(text) })
const text = (row: unknown): Bytes => utf8.encode(JSON.stringify(row))
const BOUND = text({ id: HOME, scheme_id: 'own/1' })
const scheme = (parameters: string): Bytes => text({ id: 'own/1', parameters })

function told(row: Bytes, slot = 5): { schemes: Schemes; shown: Map<string, Bytes> } {
  const schemes = new Schemes()
  schemes.take(HOME, record(TRAINING_CLASS, BOUND))
  schemes.take(OWN, record(SCHEME, row, slot))
  return { schemes, shown: new Map([BOUND, row].map((one) => [hex(sha256(one)), one])) }
}

describe('the scheme of a class', () => {
  it('is the one that the log was told of before the first minute, and that is shown', () => {
    const { schemes, shown } = told(scheme(JSON.stringify(SAID)))
    expect(schemes.rules(HOME, shown, 5)).toEqual(rulesOf(SAID))
    expect(schemes.rules(HOME, shown, 4)).toBeNull()
    expect(schemes.rules(HOME, new Map(), 5)).toBeNull()
    expect(schemes.rules('ce'.repeat(8), shown, 5)).toBeNull()
    expect(schemes.doubted(HOME)).toBe(false)
    schemes.take(OWN, record(SCHEME, scheme('{}')))
    expect(schemes.doubted(HOME)).toBe(true)
  })

  it.each(['{"class_hour_ms":60000.0}', '{"class_hour_ms":0}', '[]', 'no'])('is none that says %s', (parameters) => {
    const { schemes, shown } = told(scheme(parameters))
    expect(() => schemes.rules(HOME, shown, 5)).toThrow()
  })
})

describe('what a scheme takes', () => {
  const numbers = new Map([['l1', 1], ['l2', 2]])
  const minutes = new Map([['l1', new Map([[10, new Map([['a', 60_000], ['b', 10_000]])]])], ['l2', new Map([[11, new Map([['a', 60_000]])]])]])

  it('of a day, over all lessons, after corrections and challenges', () => {
    expect([...cutMs(rulesOf(SAID), numbers, minutes, new Map())]).toEqual([['l2 a', 20_000]])
    expect([...cutMs(rulesOf(SAID), numbers, minutes, new Map([['l1 a 10', -20_000]]))]).toEqual([])
    expect([...cutMs(rulesOf(SAID), numbers, minutes, new Map([['l1 b 12', 60_000], ['l2 a 12', 5_000]]))]).toEqual([['l2 a', 25_000]])
  })

  it('of stretches too short', () => {
    expect([...cutMs(rulesOf({ class_hour_ms: 60_000, shortest_ms: 60_000 }), numbers, minutes, new Map())]).toEqual([['l1 b', 10_000]])
    expect([...cutMs(rulesOf({ class_hour_ms: 60_000 }), numbers, minutes, new Map())]).toEqual([])
  })
})
