import { describe, expect, it } from 'vitest'
import type { Bundle } from '../verify/bundle'
import type { Report } from '../verify/check'
import type { Finding } from '../verify/findings'
import type { Key } from '../verify/notes'
import { Seats } from '../verify/seats'
import { Pages } from '../verify/signatures'
import { tell } from './proof'

const found = (seat: number): Finding => ({ slot: 1, lesson: 1, seat, code: 'record_changed' })

function report(findings: Finding[], signers: Report['signers'] = []): Report {
  return {
    findings, signers, checkpoint: { origin: 'log', size: 9, root: new Uint8Array(32) }, note: '', witnesses: [], nMinutes: 2, nRecords: 4, gaps: [],
    clockWrong: [], unwitnessed: [], nUnseen: 0, unended: [], lessons: new Map([[1, new Map([[1, { records: 2, creditMs: 9 }]])]]), steps: new Map(), credit: new Map([['1 7', 42]]),
    rules: null, cut: new Map(), changes: [], corrected: new Map(), left: new Map(), nCredited: 0, nSigned: null, nDelayed: 0, pages: new Pages(), handovers: [], deleted: [],
    settled: [], unchecked: [],
    seats: new Seats({ lessons: [], people: [] } as unknown as Bundle),
  }
}

describe('what evidence says of one trainee', () => {
  it('is unknown without a key, whatever fits', () => {
    expect(tell(report([]), 1, 7)).toMatchObject({ verdict: 'unknown', minutes: 1, creditMs: 42, size: 9, others: 0 })
  })

  it('holds when a trusted key signed it', () => {
    const key: Key = { name: 'log', kind: 1, raw: new Uint8Array(32), id: new Uint8Array(4), line: '' }
    expect(tell(report([], [key]), 1, 7).verdict).toBe('holds')
  })

  it('is changed by what was found at this seat or at the lesson, not at others', () => {
    expect(tell(report([found(7)]), 1, 7)).toMatchObject({ verdict: 'changed', others: 0 })
    expect(tell(report([found(-1)]), 1, 7).verdict).toBe('changed')
    expect(tell(report([found(8), found(9)]), 1, 7)).toMatchObject({ verdict: 'unknown', others: 2 })
  })
})
