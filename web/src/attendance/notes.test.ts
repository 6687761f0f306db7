import { beforeEach, expect, it, vi } from 'vitest'
import { MOST_NOTES, keepNote, noteOf } from './notes'

const note = (lesson: string, person: string, seq: number) => `keshi-ack/v1\nkeshi/0\nlesson ${lesson}\nperson ${person}\nlease 1 ${seq} -\nsealed 0 0\n\n\u2014 keshi/0 AAAA\n`

beforeEach(() => {
  const memory = new Map<string, string>()
  vi.stubGlobal('localStorage', { getItem: (key: string) => memory.get(key) ?? null, setItem: (key: string, value: string) => { memory.set(key, value) } })
})

it('keeps the newest note of each lesson and person', () => {
  keepNote(note('l1', 'p1', 1))
  keepNote(note('l1', 'p2', 1))
  keepNote(note('l1', 'p1', 2))
  expect([noteOf('l1', 'p1'), noteOf('l1', 'p2'), noteOf('l2', 'p1')]).toEqual([note('l1', 'p1', 2), note('l1', 'p2', 1), null])
})

it('keeps a bounded number, the newest of them', () => {
  for (let number = 0; number <= MOST_NOTES; number += 1) keepNote(note(`l${number}`, 'p', 1))
  expect(noteOf('l0', 'p')).toBeNull()
  expect([noteOf('l1', 'p'), noteOf(`l${MOST_NOTES}`, 'p')]).not.toContain(null)
})

it('lives with a memory that is damaged or refuses', () => {
  localStorage.setItem('keshi.notes', '{')
  keepNote(note('l1', 'p1', 1))
  expect(noteOf('l1', 'p1')).not.toBeNull()
  vi.stubGlobal('localStorage', { getItem: () => { throw new Error('no') }, setItem: () => { throw new Error('full') } })
  keepNote(note('l1', 'p1', 2))
  expect(noteOf('l1', 'p1')).toBeNull()
})
