/** The same cases as the server's own verifier (tests/verify/settlements.json): what holds, and what is named where. */
import { describe, expect, it } from 'vitest'
import cases from '../../../tests/verify/settlements.json'
import { readBundle } from './bundle'
import { check } from './check'
import { openedMs, readText, textOf } from './settlements'

const utf8 = new TextEncoder()

describe('settlements', () => {
  it.each(cases.map((one) => [one.name, one] as const))('%s', (_, { bundle, findings, settled }) => {
    const report = check(readBundle(bundle))
    expect(report.findings.map((one) => [one.code, one.settlement ?? -1, one.seat, one.lesson])).toEqual(findings)
    expect(report.settled.map((one) => [one.number, one.seat, one.classHours, one.remainderMs, one.confirmedMs])).toEqual(settled)
  })

  it('reads a text that is written in one way only', () => {
    expect(readText(utf8.encode('{"a":[1,null,true],"b":"学"}'))).toEqual({ a: [1, null, true], b: '学' })
    for (const raw of ['', '[]', '{', '{"b":1,"a":1}', '{ "a":1}', '{"a":1,"a":1}', '{"a":1e2}', '{"a":1.0}'])
      expect(() => readText(utf8.encode(raw)), raw).toThrow()
    expect(textOf({ b: undefined, a: 1 })).toBe('{"a":1,"b":null}')
  })

  it('knows when a lesson opened', () => {
    expect(openedMs(new Map([[4, 0], [5, 20_000], [6, 60_000]]))).toBe(340_000)
    expect(openedMs(new Map([[5, 0]]))).toBe(0)
  })
})
