import { describe, expect, it } from 'vitest'
import type { Cell, Lease } from '../wire/types'
import { BeatQueue, mergeCells, tally } from './state'
import { SPANS_PER_BEAT } from './track'

const LEASE: Lease = { epoch: 3, resume: 'r', seq: 0, nonce: 'n0', attention: null }
const queue = (visible = true) => new BeatQueue('l', LEASE, visible, 1_000)
const cell = (slot: number, credit_ms: number, sealed = true): Cell =>
  ({ slot, open_ms: 60_000, credit_ms, reasons: credit_ms < 60_000 ? [{ code: 'hidden', ms: 60_000 - credit_ms }] : [], sealed, corrected_ms: null, pending_ms: 0, refused: [], cut: [], grade: 0, detail: null })

describe('a beat', () => {
  it('tells the spans in front since the last acknowledged one', () => {
    const q = queue()
    q.visibility(false, 4_000)
    q.visibility(true, 9_000)
    expect(q.take(11_000)).toEqual({ lesson_id: 'l', epoch: 3, seq: 1, nonce: 'n0', mono: 11_000, signature: null, attention: null, spans: [[1_000, 4_000], [9_000, 11_000]] })
    q.acknowledged({ seq: 1, nonce: 'n1' })
    expect(q.take(21_000)).toMatchObject({ seq: 2, nonce: 'n1', spans: [[11_000, 21_000]] })
  })
  it('is one at a time', () => {
    const q = queue()
    expect(q.take(2_000)).not.toBeNull()
    expect(q.take(3_000)).toBeNull()
    q.lost()
    expect(q.take(3_000)).not.toBeNull()
  })
  it('that was lost is said again whole, with a fresh clock and the same number', () => {
    const q = queue()
    q.take(11_000)
    q.lost()
    expect(q.take(15_000)).toMatchObject({ seq: 1, nonce: 'n0', mono: 15_000, spans: [[1_000, 15_000]] })
  })
  it('whose answer alone was lost leaves no hole: the stretch between both sendings is told again', () => {
    const q = queue()
    q.take(11_000)
    q.lost()
    q.take(15_000)
    q.acknowledged({ seq: 1, nonce: 'n1' })
    expect(q.take(25_000)).toMatchObject({ seq: 2, spans: [[11_000, 25_000]] })
  })
  it('from a page behind tells nothing', () => {
    const q = queue(false)
    expect(q.take(11_000)?.spans).toEqual([])
    q.acknowledged({ seq: 1, nonce: 'n1' })
    expect(q.visibility(true, 20_000)).toBe(true)
    expect(q.take(21_000)?.spans).toEqual([[20_000, 21_000]])
  })
  it('is due ten seconds after the last one was sent', () => {
    const q = queue()
    expect(q.due(1_000)).toBe(true)
    q.take(1_000)
    q.acknowledged({ seq: 1, nonce: 'n1' })
    expect(q.due(10_999)).toBe(false)
    expect(q.due(11_000)).toBe(true)
  })
  it('never carries more spans than allowed, and keeps the newest', () => {
    const q = queue()
    for (let i = 0; i < 100; i += 1) q.visibility(i % 2 === 1, 2_000 + i * 10)
    const beat = q.take(9_000)
    expect(beat?.spans).toHaveLength(SPANS_PER_BEAT)
    expect(beat?.spans.at(-1)).toEqual([2_990, 9_000])
  })
  it('ignores a visibility that did not change', () => {
    const q = queue()
    expect(q.visibility(true, 5_000)).toBe(false)
    expect(q.take(6_000)?.spans).toEqual([[1_000, 6_000]])
  })
})

describe('coming back', () => {
  it('keeps what the server had not heard', () => {
    const q = queue()
    q.take(11_000)
    q.resumed({ ...LEASE, nonce: 'n0b' })
    expect(q.take(40_000)).toMatchObject({ seq: 1, nonce: 'n0b', spans: [[1_000, 40_000]] })
  })
  it('drops what the server had heard although its answer was lost', () => {
    const q = queue()
    q.take(11_000)
    q.resumed({ ...LEASE, seq: 1, nonce: 'n1' })
    expect(q.take(40_000)).toMatchObject({ seq: 2, nonce: 'n1', spans: [[11_000, 40_000]] })
  })
})

describe('cells', () => {
  it('are replaced by newer knowledge and stay in order', () => {
    expect(mergeCells([cell(3, 1), cell(1, 1)], [cell(3, 5), cell(2, 1)]).map((c) => [c.slot, c.credit_ms])).toEqual([[1, 1], [2, 1], [3, 5]])
  })
  it('add up', () => {
    expect(tally([cell(1, 60_000), cell(2, 20_000, false)])).toEqual({ open_ms: 120_000, credit_ms: 80_000, missing_ms: 40_000, sealed: false })
  })
})
