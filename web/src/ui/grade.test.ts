import { expect, test } from 'vitest'
import type { Cell } from '../wire/types'
import { addDesk } from './catalogue'
import { desk } from './catalogue/zh-CN.desk'
import { gradesWords, gradeWords } from './grade'

addDesk({ 'zh-CN': desk, en: () => Promise.resolve({}) })
const cell = { slot: 0, open_ms: 60_000, credit_ms: 54_000, reasons: [], sealed: true, corrected_ms: null, pending_ms: 0, refused: [], cut: [], detail: null }

test('what media delivered is told of sealed minutes that count', () => {
  const seen = (grade: number): Cell => ({ ...cell, grade })
  expect([0, 1, 2, 3].map((grade) => gradeWords(seen(grade)))).toEqual(['媒体：没有送达记录', '媒体：送达不到一半', '媒体：送达过半', '媒体：基本全程送达'])
  for (const none of [undefined, { ...seen(3), sealed: false }, { ...seen(3), credit_ms: 0 }]) expect(gradeWords(none)).toBe('')
  expect(gradesWords([seen(0), seen(1), seen(2), seen(3), { ...seen(3), credit_ms: 0 }])).toBe('计时的 4 分钟里，2 分钟有媒体送达过半的记录（仅供抽查，不影响学时）')
  expect(gradesWords([])).toBe('')
})
