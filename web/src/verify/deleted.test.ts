import { describe, expect, it } from 'vitest'
import cases from '../../../tests/verify/deleted.json'
import { readBundle } from './bundle'
import { check } from './check'
import { readKeys } from './notes'

describe('records that were deleted', () => {
  it.each(cases)('are judged as by keshi verify: $name', (one) => {
    const report = check(readBundle(one.evidence), readKeys(one.trust))
    expect(report.findings.map((found) => found.code)).toEqual(one.found)
    expect(report.signers.length).toBe(1)
    expect(report.deleted.map(({ lesson, records }) => [lesson, records])).toEqual(one.deleted)
  })
})
