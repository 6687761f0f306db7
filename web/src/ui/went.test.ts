import './catalogue/lesson'
import { expect, test } from 'vitest'
import type { Cell } from '../wire/types'
import { wentWords } from './went'

const cell = (detail: Cell['detail']): Cell => ({ slot: 0, open_ms: 60_000, credit_ms: 54_000, reasons: [], sealed: true, corrected_ms: null, pending_ms: 0, refused: [], cut: [], detail, grade: 0 })
const SPELLS = [
  { state: 'credited', start_ms: 0, end_ms: 20_000 },
  { state: 'hidden', start_ms: 20_000, end_ms: 26_900 },
  { state: 'closed', start_ms: 26_900, end_ms: 50_000 },
  { state: 'disconnected', start_ms: 50_000, end_ms: 60_000 },
]

test('stretches are told with their seconds, there and by the clock on the wall', () => {
  const words = wentWords(134, cell({ spells: SPELLS, refused: 0, lagged_ms: 0, surplus_ms: 0 }))
  expect(words).toBe('10:14:20–10:14:26 页面切到后台，10:14:50–10:15:00 网络断开')
})

test('what was odd is told, and only that', () => {
  const odd = { spells: SPELLS.slice(0, 1), refused: 2, lagged_ms: 7_000, surplus_ms: 65_000 }
  expect(wentWords(134, cell(odd))).toBe('拒收 2 次检测，页面时钟落后 7 秒（未计），页面时钟超前 1 分 5 秒（未计）')
})

test('a minute without details has none', () => {
  expect(wentWords(134, cell(null))).toBe('')
  expect(wentWords(134, undefined)).toBe('')
})
