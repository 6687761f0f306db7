/** Decides whether the log knows the file's lessons under their numbers and its trainees on their seats; as server/verify/seats.py. */
import { sha256 } from '@noble/hashes/sha2.js'
import type { Bundle } from './bundle'
import type { Code } from './findings'
import { LESSON, type Rec } from './formats'
import { parsed } from './json'
import { decode } from './notes'
import type { SheetRow } from './sheets'
import { joined, Refused, same, type Bytes } from './tree'

/** Of a lesson, or of a trainee. */
export interface Wrong { code: Code; slot: -1; lesson: string; person: string }
/** Salts of names by trainee, as they lie in identities.json. */
export type Salts = ReadonlyMap<string, Bytes>

export const IDENTITIES = '{"format":"keshi-identities/'
const FORMAT = 'keshi-identities/v1'
const utf8 = new TextEncoder()

export class Seats {
  /** The seats of those who have minutes from before the log was told who they are. */
  untold: number[] = []
  private readonly lessons = new Map<string, { home: string; record: Rec }>()
  private readonly people = new Map<string, Rec>()
  /** Told twice, and not the same. */
  private readonly doubted: Wrong[] = []
  private readonly bundle: Bundle

  constructor(bundle: Bundle) {
    this.bundle = bundle
  }

  /** A record of a class. What was told first counts; the same may be told again. */
  take(home: string, record: Rec): void {
    if (record.kind === LESSON) this.takeLesson(home, record)
    else this.takeSeat(home, record)
  }

  private takeLesson(home: string, record: Rec): void {
    const first = this.lessons.get(record.resource)
    if (!first) this.lessons.set(record.resource, { home, record })
    else if (first.home !== home || first.record.seq !== record.seq) this.doubted.push({ code: 'lesson_wrong', slot: -1, lesson: record.resource, person: '' })
  }

  private takeSeat(home: string, record: Rec): void {
    const first = this.people.get(`${home} ${record.subject}`)
    if (!first) this.people.set(`${home} ${record.subject}`, record)
    else if (first.seq !== record.seq || !same(first.evidence, record.evidence)) this.doubted.push({ code: 'seat_wrong', slot: -1, lesson: '', person: record.subject })
  }

  /** Lessons of another number or class than the log says, and trainees on another seat; `first` is everybody's first minute. */
  ended(first: ReadonlyMap<string, number>): Wrong[] {
    const home = this.home()
    const late = new Set([...first].filter(([person, slot]) => (this.of(person, home)?.slot ?? Infinity) > slot).map(([person]) => person))
    this.untold = this.bundle.people.filter((one) => late.has(one.id)).map((one) => one.seat)
    const lessons = this.bundle.lessons.filter((one) => {
      const told = this.lessons.get(one.id)
      return told && (told.home !== home || told.record.seq !== one.number)
    })
    const people = this.bundle.people.filter((one) => (this.of(one.id, home)?.seq ?? one.seat) !== one.seat)
    return [
      ...this.doubted,
      ...lessons.map((one): Wrong => ({ code: 'lesson_wrong', slot: -1, lesson: one.id, person: '' })),
      ...people.map((one): Wrong => ({ code: 'seat_wrong', slot: -1, lesson: '', person: one.id })),
    ]
  }

  /** The class of a lesson, as the log says. */
  readonly homeOf = (lesson: string): string | undefined => this.lessons.get(lesson)?.home

  /** The numbers of lessons of which the log was not told. */
  unnumbered(): number[] {
    return this.bundle.lessons.filter((one) => !this.lessons.has(one.id)).map((one) => one.number).sort((a, b) => a - b)
  }

  /** The seats of those whom a sheet calls otherwise than the log was told, and of all that could be held against it. */
  named(rows: readonly SheetRow[], salts: Salts): { wrong: Set<number>; seats: Set<number> } {
    const [wrong, seats, people] = [new Set<number>(), new Set<number>(), new Map(this.bundle.people.map((one) => [one.seat, one.id]))]
    const home = this.home()
    for (const row of rows) {
      const person = people.get(row.seat) ?? ''
      const [record, salt] = [this.of(person, home), salts.get(person)]
      if (!record || !salt) continue
      seats.add(row.seat)
      if (!same(digest(salt, row.name, row.idNumber), record.evidence)) wrong.add(row.seat)
    }
    return { wrong, seats }
  }

  private of(person: string, home = this.home()): Rec | undefined {
    return this.people.get(`${home} ${person}`)
  }

  /** The class of these lessons, as the log says of the first one that it knows. */
  home(): string {
    return this.bundle.lessons.map((one) => this.lessons.get(one.id)?.home).find(Boolean) ?? ''
  }
}

/** What an IDENTITY record holds as its evidence. */
export const digest = (salt: Bytes, name: string, idNumber: string): Bytes => sha256(joined(salt, utf8.encode(`\n${name}\n${idNumber}`)))

/** The salts of a file. Throws Refused. */
export function readSalts(text: string): Salts {
  try {
    const told = parsed(text) as { format: string; people: Record<string, string> }
    if (told.format !== FORMAT) throw new Refused('salts of an unknown format')
    return new Map(Object.entries(told.people).map(([person, salt]) => [person, decode(salt)]))
  } catch (error) {
    throw error instanceof Refused ? error : new Refused('not a file of identities')
  }
}
