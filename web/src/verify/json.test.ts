import { describe, expect, it } from 'vitest'
import deleted from '../../../tests/verify/deleted.json'
import cases from '../../../tests/verify/doubled.json'
import { readBundle } from './bundle'
import { parsed } from './json'
import { readSalts } from './seats'
import { Refused } from './tree'

const { evidence } = deleted[0] as { evidence: string }

describe('a name that stands twice in an object', () => {
  it.each(cases)('is refused as by keshi verify: $name', ({ text, holds }) => {
    if (holds) expect(parsed(text)).toEqual(JSON.parse(text))
    else expect(() => parsed(text)).toThrow(Refused)
  })

  it.each(['format', 'genesis', 'number', 'seat', 'credit_ms', 'index', 'records', 'path'])('is refused in evidence: %s', (name) => {
    const [field = ''] = new RegExp(`"${name}":(?:"[^"]*"|\\d+|\\[\\])`).exec(evidence) ?? []
    expect(() => readBundle(evidence)).not.toThrow()
    expect(() => readBundle(evidence.replace(field, `${field},${field}`))).toThrow(Refused)
  })

  it('is refused among salts', () => {
    const pair = '"00000000000000a1":"AAAAAAAAAAAAAAAAAAAAAA=="'
    expect(readSalts(`{"format":"keshi-identities/v1","people":{${pair}}}`).size).toBe(1)
    expect(() => readSalts(`{"format":"keshi-identities/v1","people":{${pair},${pair}}}`)).toThrow(Refused)
  })
})
