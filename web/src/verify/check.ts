/** Decides whether evidence holds; the same as server/verify/check.py. Nothing of the file is believed. */
import { sha256 } from '@noble/hashes/sha2.js'
import { evidenceOf, HINT_BYTES, RECORD_BYTES, SALT_BYTES, type Bundle, type GroupPart, type LeafPart } from './bundle'
import { CHALLENGE_OUTCOME, CHANGED, CLOCK_WRONG, CORRECTION, ENDED, GAP, isEmpty, isKnown, LATE, LESSON_EVENT, LESSON_MINUTE, MINUTE, readGroup, readLeaf, readRecord, type Group, type Leaf, type Rec } from './formats'
import { reached, shownBy, signersOf, type Handover } from './handover'
import { Leases } from './leases'
import { said } from './minutes'
import { hex, checkLog, checkWitnesses, readCheckpoint, readNote, type Checkpoint, type Cosigned, type Key, type Note } from './notes'
import { checkConsistency, checkInclusion, leafHash, pieces, Refused, root, same, summit, type Bytes } from './tree'

const MINUTE_MS = 60_000
const SEEN_S = 900
const SKEW_S = 30

export type Code =
  | 'leaf_changed' | 'leaf_moved' | 'group_changed' | 'record_changed' | 'records_changed' | 'evidence_changed' | 'minute_moved'
  | 'minute_doubled' | 'minute_missing' | 'minute_wrong' | 'lease_wrong' | 'sum_wrong' | 'total_wrong' | 'sheet_differs' | 'correction_wrong' | 'receipt_differs'

/** Where first: unix minute, lesson number, seat; -1: not of one. */
export interface Finding { slot: number; lesson: number; seat: number; code: Code }

/** A lesson's minutes by unix minute: how many records, credited milliseconds. */
export type Minutes = Map<number, { records: number; creditMs: number }>

/** A correction of one minute: what counted there before and after, and when it was made. */
export interface Change { at: number; slot: number; lesson: number; seat: number; beforeMs: number; afterMs: number }

export interface Report {
  findings: Finding[]
  checkpoint: Checkpoint
  note: string
  signers: Key[]
  witnesses: Cosigned[]
  nMinutes: number
  nRecords: number
  gaps: number[]
  clockWrong: number[]
  unwitnessed: number[]
  /** Lessons whose last record is not followed by their end. */
  unended: number[]
  lessons: Map<number, Minutes>
  /** Credited milliseconds by lesson number and seat. */
  credit: Map<string, number>
  changes: Change[]
  /** What corrections come to, by lesson number and seat. */
  corrected: Map<string, number>
  /** Numbers of lessons in which challenges decide what counts: `keshi verify` works that out, this page does not. */
  challenged: Set<number>
  /** How the log came to its present key and name. */
  handovers: Handover[]
}

/** Look at everything; gives how many leaves were looked at, and at the end the report. Throws Refused. */
export function* checking(bundle: Bundle, known: readonly Key[]): Generator<number, Report> {
  const handovers = shownBy(bundle)
  const keys = reached(known, handovers)
  const note = readNote(bundle.checkpoint)
  const checkpoint = readCheckpoint(note.text)
  const signers = signersOf(note, checkpoint, keys, handovers)
  checkHistory(bundle, checkpoint)
  const look = new Look(bundle)
  for (const [at, part] of bundle.leaves.entries()) {
    look.leaf(part, checkpoint)
    yield at + 1
  }
  look.ended()
  const times = timesOf(bundle, note, keys, checkpoint)
  const marked = (flag: number): number[] => look.leaves.filter((one) => one.flags & flag).map((one) => one.slot)
  return {
    findings: look.sorted(),
    checkpoint,
    note: bundle.checkpoint,
    signers,
    witnesses: checkWitnesses(note, keys),
    nMinutes: look.leaves.length,
    nRecords: look.nRecords,
    gaps: marked(GAP),
    clockWrong: marked(CLOCK_WRONG),
    unwitnessed: look.leaves.map((one) => one.slot).filter((slot) => !seenInTime(slot, bundle.genesis, times)),
    unended: look.unended(),
    lessons: look.lessonMinutes(),
    credit: look.creditBySeat(),
    changes: look.changes,
    corrected: look.correctedMs,
    challenged: look.challenged,
    handovers,
  }
}

/** The same at once. */
export function check(bundle: Bundle, keys: readonly Key[] = []): Report {
  const steps = checking(bundle, keys)
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}

function checkHistory(bundle: Bundle, checkpoint: Checkpoint): void {
  if (!bundle.tiles.length && !bundle.rest.length) return
  const top = summit(bundle.tiles, bundle.rest)
  if (top.size !== checkpoint.size || !same(top.root, checkpoint.root)) throw new Refused("the log's tiles do not lead to its root")
}

function timesOf(bundle: Bundle, last: Note, keys: readonly Key[], checkpoint: Checkpoint): { size: number; atS: number }[] {
  const names = new Set([checkpoint.origin, ...shownBy(bundle).map((one) => one.before.name)])
  const earlier = bundle.seen.flatMap((seen) => {
    const note = readNote(seen.note)
    const said = readCheckpoint(note.text)
    if (!names.has(said.origin)) throw new Refused('a checkpoint of another log')
    checkLog(note, keys)
    checkConsistency(said.size, checkpoint.size, seen.path, said.root, checkpoint.root)
    return checkWitnesses(note, keys).map((one) => ({ size: said.size, atS: one.atS }))
  })
  return [...earlier, ...checkWitnesses(last, keys).map((one) => ({ size: checkpoint.size, atS: one.atS }))]
}

function seenInTime(slot: number, genesis: number, times: readonly { size: number; atS: number }[]): boolean {
  const endS = (slot + 1) * 60
  return times.some(({ size, atS }) => genesis + size > slot && atS >= endS - SKEW_S && atS <= endS + SEEN_S)
}

const attempt = (work: () => void): boolean => {
  try {
    work()
    return true
  } catch (error) {
    if (error instanceof Refused) return false
    throw error
  }
}

class Look {
  readonly findings = new Map<string, Finding>()
  readonly leaves: Leaf[] = []
  nRecords = 0
  private readonly minutes = new Map<string, Map<number, Map<string, number>>>()
  private readonly said = new Map<string, Map<number, number>>()
  private readonly ends = new Map<string, number>()
  /** What was delivered, by lesson and minute. */
  private readonly delivered = new Map<string, number>()
  /** What the details of each minute say was delivered in it. */
  private readonly told: { lesson: string; record: Rec; deliveredMs: number }[] = []
  /** Records that were changed since they were sealed, by minute, lesson and trainee. */
  private readonly changed = new Set<string>()
  private readonly leases = new Leases()
  private readonly corrections: { lesson: string; record: Rec }[] = []
  readonly changes: Change[] = []
  readonly challenged = new Set<number>()
  readonly correctedMs = new Map<string, number>()
  private readonly seen = new Set<number>()
  private readonly numbers: Map<string, number>
  private readonly seats: Map<string, number>

  private readonly bundle: Bundle

  constructor(bundle: Bundle) {
    this.bundle = bundle
    this.numbers = new Map(bundle.lessons.map((one) => [one.id, one.number]))
    this.seats = new Map(bundle.people.map((one) => [one.id, one.seat]))
  }

  leaf(part: LeafPart, checkpoint: Checkpoint): void {
    const slot = this.bundle.genesis + part.index
    let leaf: Leaf | null = null
    const good = attempt(() => {
      const found = readLeaf(part.leaf)
      checkInclusion(leafHash(part.leaf), part.index, checkpoint.size, part.path, checkpoint.root)
      leaf = found
    })
    if (!good) this.find('leaf_changed', slot)
    this.place(leaf, part.index, slot)
    for (const group of part.groups) this.group(group, leaf, slot)
  }

  private place(leaf: Leaf | null, index: number, slot: number): void {
    if (leaf && (leaf.slot !== slot || this.seen.has(index))) this.find('leaf_moved', slot)
    if (leaf) this.leaves.push(leaf)
    this.seen.add(index)
  }

  private group(part: GroupPart, leaf: Leaf | null, slot: number): void {
    let group: Group | null = null
    const good = attempt(() => {
      group = readGroup(part.group)
      if (leaf) checkInclusion(leafHash(part.group), part.at, leaf.nGroups, part.path, leaf.groupsRoot)
    })
    const found = group as Group | null
    if (!good) this.find('group_changed', slot, found?.id)
    this.records(part, found, slot, Boolean(leaf && leaf.flags & LATE))
  }

  private records(part: GroupPart, group: Group | null, slot: number, late: boolean): void {
    const raws = pieces(part.records, RECORD_BYTES)
    const texts = evidenceOf(part.evidence, raws.length)
    const hashes = hashesOf(part, raws)
    const named = this.nameChanged(part, raws, hashes, slot, group?.id)
    const records = raws.map(readRecord)
    records.forEach((record, at) => { this.record(record, texts[at] as Bytes, slot, group?.id ?? '', late) })
    if (group) {
      if (!named && !rootFits(group, hashes)) this.find('records_changed', slot, group.id)
      if (!sumsFit(group, records)) this.find('sum_wrong', slot, group.id)
    }
    this.nRecords += raws.length
  }

  private nameChanged(part: GroupPart, raws: readonly Bytes[], hashes: readonly Bytes[], slot: number, lesson?: string): boolean {
    let named = false
    hashes.forEach((hashed, at) => {
      if (same(hashed.subarray(0, HINT_BYTES), part.hints.subarray(at * HINT_BYTES, (at + 1) * HINT_BYTES))) return
      named = true
      const person = hex((raws[at] as Bytes).subarray(10, 18))
      this.changed.add(`${slot} ${lesson ?? ''} ${person}`)
      this.find('record_changed', slot, lesson, person)
    })
    return named
  }

  private record(record: Rec, shown: Bytes, slot: number, lesson: string, late: boolean): void {
    if (!isKnown(record)) {
      this.find('record_changed', slot, lesson, record.subject)
      return
    }
    if (!isShown(record, shown)) this.find('evidence_changed', record.slot, lesson, record.subject)
    else if (record.kind === MINUTE && !this.changed.has(`${slot} ${lesson} ${record.subject}`)) this.details(record, shown, lesson)
    if (record.slot !== slot && !(late && record.slot < slot)) this.find('minute_moved', record.slot, lesson, record.subject)
    this.byKind(record, lesson)
  }

  /** What stands behind a minute's digest says the same as its record. */
  private details(record: Rec, shown: Bytes, lesson: string): void {
    const good = attempt(() => {
      const told = said(record.flags, record.subject, shown)
      this.told.push({ lesson, record, deliveredMs: told.deliveredMs })
      if (told.creditMs !== record.creditMs || told.epoch !== parseInt(record.session, 16)) throw new Refused('another minute')
    })
    if (!good) this.find('minute_wrong', record.slot, lesson, record.subject)
  }

  private byKind(record: Rec, lesson: string): void {
    if (record.kind === MINUTE) this.minute(record, lesson)
    this.leases.take(lesson, record)
    if (record.kind === LESSON_MINUTE) this.lessonMinute(record, lesson)
    if (record.kind === CHALLENGE_OUTCOME) this.challenged.add(this.number(lesson))
    if (record.kind === CORRECTION && record.mode === CHANGED) this.corrections.push({ lesson, record })
    if (record.kind === LESSON_EVENT && record.mode === ENDED) this.ends.set(lesson, record.slot)
  }

  private lessonMinute(record: Rec, lesson: string): void {
    const said = of(this.said, lesson, () => new Map<number, number>())
    if (said.has(record.slot)) this.find('minute_doubled', record.slot, lesson)
    said.set(record.slot, record.seq)
    this.delivered.set(`${lesson} ${record.slot}`, record.creditMs)
  }

  private minute(record: Rec, lesson: string): void {
    this.leases.earn(lesson, record)
    const people = of(of(this.minutes, lesson, () => new Map<number, Map<string, number>>()), record.slot, () => new Map<string, number>())
    if (people.has(record.subject)) this.find('minute_doubled', record.slot, lesson, record.subject)
    people.set(record.subject, (people.get(record.subject) ?? 0) + record.creditMs)
    if (record.resource !== lesson || record.creditMs > MINUTE_MS || isEmpty(record.evidence)) this.find('minute_wrong', record.slot, lesson, record.subject)
  }

  /** What can only be told when everything was seen: missing minutes, and totals. */
  ended(): void {
    for (const lesson of new Set([...this.said.keys(), ...this.minutes.keys()])) this.holes(lesson)
    this.borneOut()
    this.corrected()
    const claimed = new Map<string, number>()
    for (const one of this.bundle.claims) {
      const pair = `${one.lesson_id} ${one.person_id}`
      claimed.set(pair, (claimed.get(pair) ?? 0) + one.credit_ms)
    }
    const summed = this.sums()
    for (const pair of new Set([...claimed.keys(), ...summed.keys()])) this.total(pair, claimed, summed)
  }

  /** Each minute's details add up to what was delivered, and its lease held. */
  private borneOut(): void {
    for (const { lesson, record, deliveredMs } of this.told)
      if (deliveredMs !== (this.delivered.get(`${lesson} ${record.slot}`) ?? deliveredMs)) this.find('minute_wrong', record.slot, lesson, record.subject)
    for (const one of this.leases.wrong()) this.find('lease_wrong', one.slot, one.lesson, one.person)
  }

  /** Each correction begins at what counted until then, and stays within what was delivered. */
  private corrected(): void {
    const counted = new Map<string, number>()
    for (const { lesson, record } of [...this.corrections].sort((a, b) => a.record.slot - b.record.slot)) {
      const { subject, seq: slot, flags: beforeMs, creditMs: afterMs } = record
      const key = `${lesson} ${subject} ${slot}`
      const before = counted.get(key) ?? (this.challenged.has(this.number(lesson)) ? beforeMs : this.recorded(lesson, slot, subject))
      if (beforeMs !== before || afterMs > amount(this.delivered, `${lesson} ${slot}`)) this.find('correction_wrong', slot, lesson, subject)
      counted.set(key, afterMs)
      this.change({ at: record.slot, slot, lesson: this.number(lesson), seat: this.seats.get(subject) ?? -1, beforeMs, afterMs })
    }
  }

  private change(one: Change): void {
    const pair = `${one.lesson} ${one.seat}`
    this.changes.push(one)
    this.correctedMs.set(pair, amount(this.correctedMs, pair) + one.afterMs - one.beforeMs)
  }

  private readonly recorded = (lesson: string, slot: number, person: string): number => this.minutes.get(lesson)?.get(slot)?.get(person) ?? 0
  private readonly number = (lesson: string): number => this.numbers.get(lesson) ?? -1

  private total(pair: string, claimed: ReadonlyMap<string, number>, summed: ReadonlyMap<string, number>): void {
    const [lesson, person] = pair.split(' ') as [string, string]
    const good = this.seats.has(person) ? amount(claimed, pair) === amount(summed, pair) : !claimed.has(pair)
    if (!good || !this.numbers.has(lesson)) this.find('total_wrong', -1, lesson, person)
  }

  unended(): number[] {
    const found = [...this.said].filter(([lesson, slots]) => {
      const after = (this.ends.get(lesson) ?? Infinity) - Math.max(...slots.keys())
      return after < 0 || after > 1
    })
    return found.map(([lesson]) => this.numbers.get(lesson) ?? -1).sort((a, b) => a - b)
  }

  private holes(lesson: string): void {
    const [said, minutes] = [this.said.get(lesson), this.minutes.get(lesson)]
    const slots = [...new Set([...(said?.keys() ?? []), ...(minutes?.keys() ?? [])])].sort((a, b) => a - b)
    slots.forEach((slot, at) => {
      const before = at ? (slots[at - 1] as number) : slot - 1
      if (slot !== before + 1) this.find('minute_missing', before + 1, lesson)
      if (said?.get(slot) !== (minutes?.get(slot)?.size ?? 0)) this.find('minute_missing', slot, lesson)
    })
  }

  private sums(): Map<string, number> {
    const found = new Map<string, number>()
    for (const [lesson, slots] of this.minutes)
      for (const people of slots.values())
        for (const [person, ms] of people) found.set(`${lesson} ${person}`, (found.get(`${lesson} ${person}`) ?? 0) + ms)
    return found
  }

  creditBySeat(): Map<string, number> {
    return new Map([...this.sums()].map(([pair, ms]) => {
      const [lesson = '', person = ''] = pair.split(' ')
      return [`${this.numbers.get(lesson) ?? -1} ${this.seats.get(person) ?? -1}`, ms]
    }))
  }

  lessonMinutes(): Map<number, Minutes> {
    const found = new Map<number, Minutes>()
    for (const [lesson, slots] of this.said) {
      const minutes = of(found, this.numbers.get(lesson) ?? -1, () => new Map() as Minutes)
      const spent = this.minutes.get(lesson)
      for (const slot of slots.keys()) {
        const credits = [...(spent?.get(slot)?.values() ?? [])]
        minutes.set(slot, { records: credits.length, creditMs: sumOf(credits) })
      }
    }
    return found
  }

  sorted(): Finding[] {
    return [...this.findings.values()].sort(byWorth)
  }

  private find(code: Code, slot: number, lesson = '', person = ''): void {
    const found: Finding = { slot, lesson: this.numbers.get(lesson) ?? -1, seat: this.seats.get(person) ?? -1, code }
    this.findings.set(JSON.stringify(found), found)
  }
}

function of<K, V>(map: Map<K, V>, key: K, made: () => V): V {
  const found = map.get(key) ?? made()
  map.set(key, found)
  return found
}

/** By minute and lesson; what names a seat before what does not, what is of no minute last. */
export function byWorth(a: Finding, b: Finding): number {
  const last = (n: number): number => (n < 0 ? Number.MAX_SAFE_INTEGER : n)
  return last(a.slot) - last(b.slot) || last(a.lesson) - last(b.lesson) || last(a.seat) - last(b.seat) || (a.code < b.code ? -1 : 1)
}

const sumOf = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0)
const amount = (map: ReadonlyMap<string, number>, key: string): number => map.get(key) ?? 0
const rootFits = (group: Group, hashes: readonly Bytes[]): boolean => hashes.length === group.nRecords && same(root(hashes), group.recordsRoot)

function sumsFit(group: Group, records: readonly Rec[]): boolean {
  const credits = records.filter((one) => one.kind === MINUTE).map((one) => one.creditMs)
  return group.creditMs === sumOf(credits) && group.nCredited === credits.filter(Boolean).length
}

/** What stands behind a record's digest, where it is shown; of a minute it has to be. */
const isShown = (record: Rec, shown: Bytes): boolean => (shown.length === 0 && record.kind !== MINUTE) || same(sha256(shown), record.evidence)

const ZERO = Uint8Array.of(0)

/** Each record's hash in its group. */
function hashesOf(part: GroupPart, raws: readonly Bytes[]): Bytes[] {
  const salts = pieces(part.salts, SALT_BYTES)
  return raws.map((raw, at) => sha256.create().update(ZERO).update(salts[at] as Bytes).update(raw).digest())
}
