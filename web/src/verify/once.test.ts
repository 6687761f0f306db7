import { describe, expect, it } from 'vitest'
import cases from '../../../tests/verify/once.json'
import { readBundle } from './bundle'
import { check } from './check'

describe('one trainee in two lessons', () => {
  it.each(cases)('is judged as by keshi verify: $name', ({ bundle, findings }) => {
    const found = check(readBundle(bundle)).findings
    expect(found.map((one) => [one.code, one.slot, one.lesson, one.seat])).toEqual(findings)
  })
})
