import { describe, expect, it } from 'vitest'
import cases from '../../../tests/verify/handovers.json'
import { readBundle } from './bundle'
import { check } from './check'
import { readKeys } from './notes'

describe('a log that changed its key or began anew', () => {
  it.each(cases)('is judged as by keshi verify: $name', (one) => {
    const report = check(readBundle(one.evidence), readKeys(one.trust.join('\n')))
    expect(report.findings).toEqual([])
    expect(report.signers.length > 0).toBe(one.authentic)
    expect(report.witnesses.map((seen) => seen.key.name)).toEqual(one.witnesses)
    expect(report.unwitnessed.length).toBe(one.unwitnessed)
  })
})
