/** The same cases as the server's own verifier (tests/verify/steps.json): what of a lesson's acts is named, by step. */
import { describe, expect, it } from 'vitest'
import cases from '../../../tests/verify/steps.json'
import { readBundle } from './bundle'
import { check } from './check'
import { sentence, speaker } from './words'

describe('acts', () => {
  it.each(cases)('are judged as by keshi verify: $name', ({ bundle, findings, steps }) => {
    const report = check(readBundle(bundle))
    expect(report.findings.map((one) => [one.code, one.slot, one.lesson, one.seat, one.step ?? -1])).toEqual(findings)
    expect([...report.steps]).toEqual(steps)
  })

  it('are named by lesson and step', () => {
    const found = { code: 'step_missing', slot: -1, lesson: 3, seat: -1, step: 17 } as const
    expect(sentence(found, speaker('zh-CN'))).toBe('第 3 课次 互动记录 第 17 步 缺失')
  })
})
