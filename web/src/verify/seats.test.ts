import { describe, expect, it } from 'vitest'
import type { Bundle } from './bundle'
import { IDENTITY, LESSON, type Rec } from './formats'
import { encode, hex } from './notes'
import { digest, readSalts, Seats } from './seats'

const [HOME, OTHER, FIRST, SECOND, JIA, YI] = ['home', 'other', 'first', 'second', 'jia', 'yi']
const SLOT = 29_000_000
const SALT = new Uint8Array(16).fill(7)
const empty = { version: 1, slot: SLOT, seq: 0, subject: '', session: '', resource: '', mode: 0, creditMs: 0, flags: 0, evidence: new Uint8Array(32) }
const lesson = (resource: string, seq: number): Rec => ({ ...empty, kind: LESSON, resource, seq })
const person = (subject: string, seq: number, name = 'Wang'): Rec => ({ ...empty, kind: IDENTITY, subject, seq, evidence: digest(SALT, name, 'X') })

type Told = [string, Rec]
const CLASS: Told[] = [[HOME, lesson(FIRST, 1)], [HOME, lesson(SECOND, 2)], [HOME, person(JIA, 17)], [HOME, person(YI, 18)]]

function seats(told: readonly Told[], lessons: Record<string, number> = { first: 1, second: 2 }, people: Record<string, number> = { jia: 17, yi: 18 }): Seats {
  const bundle = {
    lessons: Object.entries(lessons).map(([id, number]) => ({ id, number })),
    people: Object.entries(people).map(([id, seat]) => ({ id, seat })),
  } as Bundle
  const found = new Seats(bundle)
  told.forEach(([home, record]) => { found.take(home, record) })
  return found
}

const wrong = (found: Seats): string[] => found.ended(new Map()).map((one) => `${one.code} ${one.lesson || one.person}`)

describe('seats and numbers, as tests/verify/test_seats_pure.py has them', () => {
  it('are as the log was told, also when it is told again', () => { expect(wrong(seats([...CLASS, ...CLASS]))).toEqual([]) })

  it.each<[Told, string]>([
    [[HOME, lesson(FIRST, 3)], 'lesson_wrong first'],
    [[OTHER, lesson(FIRST, 1)], 'lesson_wrong first'],
    [[HOME, person(JIA, 19)], 'seat_wrong jia'],
    [[HOME, person(JIA, 17, 'Wong')], 'seat_wrong jia'],
  ])('told again and otherwise are named and do not count: %#', (again, code) => { expect(wrong(seats([...CLASS, again]))).toEqual([code]) })

  it.each([
    [{ first: 1, second: 3 }, {}, ['lesson_wrong second']],
    [{ first: 2, second: 2 }, {}, ['lesson_wrong first']],
    [{ first: 1 }, { jia: 18, yi: 18 }, ['seat_wrong jia']],
    [{ first: 1 }, { stranger: 17 }, []],
    [{ untold: 1 }, { jia: 99 }, []],
  ])('in a file that says otherwise are named: %#', (lessons, people, codes) => { expect(wrong(seats(CLASS, lessons, people))).toEqual(codes) })

  it('are those of the class of the first lesson', () => {
    const told: Told[] = [[HOME, lesson(FIRST, 1)], [OTHER, lesson(SECOND, 2)], [OTHER, person(JIA, 99)]]
    expect(wrong(seats(told))).toEqual(['lesson_wrong second'])
    expect(wrong(seats([...CLASS, [OTHER, person(JIA, 99)]]))).toEqual([])
  })

  it('must be told before the first minute', () => {
    const told: Told[] = [[HOME, lesson(FIRST, 1)], [HOME, person(JIA, 17)], [OTHER, person(YI, 18)]]
    for (const [first, untold] of [[{ jia: SLOT }, []], [{ jia: SLOT - 1 }, [17]], [{ yi: SLOT, jia: SLOT + 1 }, [18]]] as const) {
      const found = seats(told)
      found.ended(new Map(Object.entries(first)))
      expect(found.untold).toEqual(untold)
    }
    expect(seats(told).unnumbered()).toEqual([2])
  })
})

describe('names', () => {
  const row = { seat: 17, lesson: 1, seconds: 0, corrected: 0, confirmed: 0, name: 'Wang', idNumber: 'X', hours: [] }

  it.each([
    [{}, { jia: SALT }, [], [17]],
    [{ name: 'Wong' }, { jia: SALT }, [17], [17]],
    [{ idNumber: 'Y' }, { jia: SALT }, [17], [17]],
    [{ name: 'Wong' }, {}, [], []],
    [{ name: 'Wong', seat: 99 }, { jia: SALT }, [], []],
    [{ name: 'Wong', seat: 18 }, { jia: SALT, yi: SALT }, [18], [18]],
  ])('are held against the log by their salt: %#', (change, salts, names, held) => {
    const found = seats(CLASS).named([{ ...row, ...change }], new Map(Object.entries(salts)))
    expect([[...found.wrong], [...found.seats]]).toEqual([names, held])
  })

  it('have the digest that server/verify/identity.py makes', () => {
    expect(hex(digest(new Uint8Array(16), 'Wang', '371***********123X'))).toBe('86effdbbca3afa39ba54e7f5e6424e8273fc208f74a0d896b872791265b959e9')
  })

  it('have their salts in a file of one form', () => {
    const file = (format: string): string => JSON.stringify({ format, people: { jia: encode(SALT) } })
    expect(readSalts(file('keshi-identities/v1')).get(JIA)).toEqual(SALT)
    for (const other of [file('keshi-identities/v2'), '', '[]', '{"format":"keshi-identities/v1","people":{"jia":7}}']) expect(() => readSalts(other)).toThrow()
  })
})
