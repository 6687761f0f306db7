import { describe, expect, it } from 'vitest'
import cases from '../../../tests/verify/handovers.json'
import { readBundle } from './bundle'
import { check } from './check'
import { readKeys } from './notes'
import { Refused } from './tree'
import { moment } from './words'

describe('a log that changed its key or began anew', () => {
  it.each(cases)('is judged as by keshi verify: $name', (one) => {
    const report = check(readBundle(one.evidence), readKeys(one.trust.join('\n')))
    expect(report.findings).toEqual([])
    expect(report.signers.length > 0 && !report.nUnseen).toBe(one.authentic)
    expect(report.witnesses.map((seen) => seen.key.name)).toEqual(one.witnesses)
    expect(report.unwitnessed.length).toBe(one.unwitnessed)
  })
})

describe('a minute that no calendar has', () => {
  const { evidence } = cases[0] as { evidence: string }

  it.each([-1, 2 ** 32, 10 ** 15])('is no beginning of a log: %d', (genesis) => {
    expect(() => readBundle(evidence.replace(/"genesis":\d+/, `"genesis":${genesis}`))).toThrow(Refused)
  })

  it('is told as its number', () => {
    expect(moment(10 ** 15)).toBe('1000000000000000')
    expect(moment(4_222_846_079)).toBe('9999-01-01 07:59')
  })
})
