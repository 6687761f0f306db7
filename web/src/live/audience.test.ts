import { expect, test } from 'vitest'
import '../ui/catalogue/lesson'
import { addDesk } from '../ui/catalogue'
import { desk } from '../ui/catalogue/zh-CN.desk'
import type { Audience } from '../wire/types'
import { spentWords, uplinkWords, watchWords } from './audience'

addDesk({ 'zh-CN': desk, en: () => Promise.resolve({}) })
const nobody: Audience = { lesson_id: 'a', peers: 0, small: 0, parts: 0, voices: 0, used_kbps: 0, limit_kbps: null, spent: null }

test('who watches is said by the ways that are taken', () => {
  expect(watchWords(nobody)).toBe('')
  expect(watchWords({ ...nobody, peers: 2 })).toBe('2 人在看：实时画面 2')
  expect(watchWords({ ...nobody, peers: 25, small: 4, parts: 5, voices: 1 })).toBe('31 人在看：实时画面 25（其中小画面 4），分片画面 5，只听语音 1')
})

test('the uplink is said with its limit where there is one', () => {
  expect(uplinkWords({ ...nobody, used_kbps: 32_100 })).toBe('上行 32.1 Mbit/s')
  expect(uplinkWords({ ...nobody, used_kbps: 32_100, limit_kbps: 40_000 })).toBe('上行 32.1 / 40 Mbit/s（80%）')
})

test('what is spent is said in words', () => {
  expect(spentWords(nobody)).toBe('')
  expect(spentWords({ ...nobody, spent: 'uplink_spent' })).toContain('上行带宽已用满')
  expect(spentWords({ ...nobody, spent: 'cpu_spent' })).toContain('服务器处理能力已用满')
})
