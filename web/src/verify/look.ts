/** Looks at every leaf, group and record, also after a first fault; as server/verify/look.py. */
import { sha256 } from '@noble/hashes/sha2.js'
import { evidenceOf, HINT_BYTES, RECORD_BYTES, SALT_BYTES, type Bundle, type GroupPart, type LeafPart } from './bundle'
import { Challenges, type Left, type Wrong } from './challenges'
import { followed, type Said } from './corrections'
import { Earned } from './earned'
import { Findings, type Code } from './findings'
import { CHALLENGE_OUTCOME, CHALLENGE_SEED, CHANGED, CORRECTION, ENDED, ERASED, IDENTITY, isKnown, LATE, LESSON, LESSON_ACT, LESSON_EVENT, LESSON_MINUTE, MINUTE, PAGE_KEY, readGroup, readLeaf, readRecord, SCHEME, TRAINING_CLASS, type Group, type Leaf, type Rec } from './formats'
import type { Rules } from './hours'
import { Leases } from './leases'
import { said } from './minutes'
import { hex, type Checkpoint } from './notes'
import { atOnce } from './once'
import { Seats } from './seats'
import { cutMs, Schemes } from './settled'
import { Settlements } from './settlements'
import { Pages } from './signatures'
import { Steps } from './steps'
import { plus, sumOf } from './sums'
import { checkInclusion, leafHash, pieces, Refused, root, same, type Bytes } from './tree'

/** A correction of one minute: what counted there before and after, and when it was made. */
export interface Change { at: number; slot: number; lesson: number; seat: number; beforeMs: number; afterMs: number }

const attempt = (work: () => void): boolean => {
  try {
    work()
    return true
  } catch (error) {
    if (error instanceof Refused) return false
    throw error
  }
}

export class Look {
  readonly findings: Findings
  readonly earned: Earned
  readonly leaves: Leaf[] = []
  nRecords = 0
  nCredited = 0
  readonly pages = new Pages()
  readonly changes: Change[] = []
  /** By lesson number and seat: what corrections come to, and what challenges left. */
  readonly correctedMs = new Map<string, number>()
  readonly left = new Map<string, Left>()
  /** Records that were changed since they were sealed, by minute, lesson and trainee. */
  private readonly changed = new Set<string>()
  private readonly leases = new Leases()
  private readonly challenges = new Challenges()
  /** How many challenges came late while nothing could be stored. */
  nDelayed = 0
  private readonly corrections: Said[] = []
  private readonly schemes = new Schemes()
  /** The scheme of the class (null: hours were not worked out), and what it takes, by lesson number and seat. */
  rules: Rules | null = null
  readonly cut = new Map<string, number>()
  readonly seats: Seats
  readonly settlements = new Settlements()
  private readonly steps = new Steps()
  private readonly seen = new Set<number>()
  private readonly bundle: Bundle

  constructor(bundle: Bundle) {
    this.bundle = bundle
    this.findings = new Findings(bundle)
    this.earned = new Earned(this.findings)
    this.seats = new Seats(bundle)
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
    this.nCredited += creditsOf(records).filter(Boolean).length
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
    this.earned.erased.take(lesson, slot, record)
    this.byKind(record, slot, lesson)
  }

  /** What stands behind a minute's digest says the same as its record. */
  private details(record: Rec, shown: Bytes, lesson: string): void {
    const good = attempt(() => {
      const told = said(record.flags, record.subject, shown)
      this.earned.tell(lesson, record, told.deliveredMs)
      if (told.creditMs !== record.creditMs || told.epoch !== parseInt(record.session, 16)) throw new Refused('another minute')
    })
    if (!good) this.find('minute_wrong', record.slot, lesson, record.subject)
  }

  private byKind(record: Rec, slot: number, lesson: string): void {
    this.leases.take(lesson, record)
    if (record.kind === MINUTE) {
      this.leases.earn(lesson, record)
      this.earned.minute(record, lesson)
    }
    if (record.kind === PAGE_KEY) this.pages.take(lesson, record)
    if (record.kind === LESSON_MINUTE) this.earned.lessonMinute(record, lesson)
    this.happened(record, lesson)
    this.decided(record, slot, lesson)
    if (record.kind === SCHEME || record.kind === TRAINING_CLASS) this.schemes.take(lesson, record)
  }

  /** What people did in the lesson, and its end. */
  private happened(record: Rec, lesson: string): void {
    const ended = record.kind === LESSON_EVENT && record.mode === ENDED
    if (ended) this.earned.end(lesson, record.slot)
    if (ended || record.kind === LESSON_ACT) this.steps.take(lesson, record)
    if (record.kind === LESSON_ACT && record.resource !== lesson) this.find('minute_wrong', record.slot, lesson, record.subject)
  }

  /** How many acts there are of each lesson, by its number. */
  acted(): Map<number, number> {
    const counts = [...this.steps.counts(this.earned.erased.groups())].sort(([a], [b]) => a < b ? -1 : 1)
    return new Map(counts.filter(([lesson]) => this.findings.knows(lesson)).map(([lesson, count]) => [this.findings.number(lesson), count]))
  }

  /** What decides later which minutes count. */
  private decided(record: Rec, slot: number, lesson: string): void {
    if (record.kind === CHALLENGE_SEED || record.kind === CHALLENGE_OUTCOME) this.challenges.take(slot, lesson, record)
    if (record.kind === LESSON || record.kind === IDENTITY) this.seats.take(lesson, record)
    this.settlements.take(lesson, record)
    if (record.kind === CORRECTION && record.mode === CHANGED) this.corrections.push({ lesson, record })
  }

  /** What can only be told when everything was seen; `until` is the newest minute of the log. */
  ended(until: number): void {
    this.earned.whole()
    for (const one of this.steps.wrong(this.earned.erased.groups())) this.findings.addStep(one)
    atOnce(this.bundle, this.earned.minutes).forEach(this.tell)
    for (const one of this.leases.wrong()) this.tell({ code: 'lease_wrong', ...one })
    const shown = new Map(this.bundle.shown.map((text) => [hex(sha256(text)), text]))
    this.pages.wrong(this.bundle, shown, (one) => this.findings.named(one.code, one.slot, one.lesson, one.person)).forEach(this.tell)
    const { byMinute, left, wrong, delayed } = this.challenges.judged(this.bundle, { shown, ended: this.earned.ended(), until })
    wrong.forEach(this.tell)
    this.nDelayed = delayed
    for (const [pair, one] of left) this.left.set(this.findings.place(pair), one)
    this.seats.ended(this.earned.firsts()).forEach(this.tell)
    this.corrected(byMinute)
    this.settled(shown, byMinute)
    this.judgeSettlements(shown, byMinute)
    this.earned.totals(this.bundle.claims)
  }

  /** Each settlement follows from what was known in its minute. */
  private judgeSettlements(shown: ReadonlyMap<string, Bytes>, left: ReadonlyMap<string, number>): void {
    const { earned, corrections, seats } = this
    this.settlements.judge(this.bundle, { shown, left, corrections, minutes: earned.saidMinutes(), ends: earned.ended(), erased: earned.erased.groups(), home: seats.homeOf })
    for (const one of this.settlements.wrong) this.findings.addSettlement(one)
  }

  /** Each correction begins at what counted until then, and stays within what was delivered. */
  private corrected(uncountedMs: ReadonlyMap<string, number>): void {
    for (const { lesson, record, follows } of followed(this.bundle, this.corrections, uncountedMs)) {
      const { subject, seq: slot, flags: beforeMs, creditMs: afterMs } = record
      if (!follows) this.find('correction_wrong', slot, lesson, subject)
      this.changes.push({ at: record.slot, slot, lesson: this.findings.number(lesson), seat: this.findings.seat(subject), beforeMs, afterMs })
      plus(this.correctedMs, this.findings.place(`${lesson} ${subject}`), afterMs - beforeMs)
    }
  }

  /** Under which scheme hours are counted, and what it takes. */
  private settled(shown: ReadonlyMap<string, Bytes>, uncountedMs: ReadonlyMap<string, number>): void {
    const home = this.seats.home()
    if (!attempt(() => { this.rules = this.schemes.rules(home, shown, this.earned.first()) }) || this.schemes.doubted(home)) this.find('scheme_wrong', -1)
    if (!this.rules) return
    const changes = new Map([...uncountedMs].map(([key, ms]) => [key, -ms]))
    for (const { lesson, record } of this.corrections) plus(changes, `${lesson} ${record.subject} ${record.seq}`, record.creditMs - record.flags)
    const numbers = new Map(this.bundle.lessons.map((one) => [one.id, one.number]))
    for (const [pair, ms] of cutMs(this.rules, numbers, this.earned.minutes, changes)) plus(this.cut, this.findings.place(pair), ms)
  }

  private readonly tell = (one: Wrong): void => { this.find(one.code, one.slot, one.lesson, one.person) }

  private find(code: Code, slot: number, lesson?: string, person?: string): void {
    this.findings.add(code, slot, lesson, person)
  }
}

const rootFits = (group: Group, hashes: readonly Bytes[]): boolean => hashes.length === group.nRecords && same(root(hashes), group.recordsRoot)

const creditsOf = (records: readonly Rec[]): number[] => records.filter((one) => one.kind === MINUTE).map((one) => one.creditMs)

/** Where records were deleted, what they summed up to stands in the group alone. */
function sumsFit(group: Group, records: readonly Rec[]): boolean {
  if (records.some((one) => one.kind === ERASED)) return true
  const credits = creditsOf(records)
  return group.creditMs === sumOf(credits) && group.nCredited === credits.filter(Boolean).length
}

/** What stands behind a record's digest, where it is shown; of a minute it has to be. */
const isShown = (record: Rec, shown: Bytes): boolean => (shown.length === 0 && record.kind !== MINUTE) || same(sha256(shown), record.evidence)

const ZERO = Uint8Array.of(0)

/** Each record's hash in its group, of an erased one that of what was there. */
function hashesOf(part: GroupPart, raws: readonly Bytes[]): Bytes[] {
  const salts = pieces(part.salts, SALT_BYTES)
  return raws.map((raw, at) => raw[0] === ERASED ? raw.subarray(RECORD_BYTES - 32) : sha256.create().update(ZERO).update(salts[at] as Bytes).update(raw).digest())
}
