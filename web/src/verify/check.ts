/** Decides whether evidence holds; the same as server/verify/check.py. Nothing of the file is believed. */
import type { Bundle } from './bundle'
import type { Left } from './challenges'
import type { Minutes } from './earned'
import { byWorth, type Finding } from './findings'
import { CLOCK_WRONG, GAP } from './formats'
import { reached, shownBy, signersOf, type Handover } from './handover'
import type { Rules } from './hours'
import { Look, type Change } from './look'
import { checkWitnesses, readCheckpoint, readNote, type Checkpoint, type Cosigned, type Key } from './notes'
import { good, type Pages } from './signatures'
import type { Seats } from './seats'
import type { Settlement } from './settlements'
import { Refused, same, summit } from './tree'
import { neverSeen, seenInTime, timesOf } from './witnessed'

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
  /** Minutes that none of the witnesses whom the reader named has seen at all. */
  nUnseen: number
  /** Lessons whose last record is not followed by their end. */
  unended: number[]
  lessons: Map<number, Minutes>
  /** Credited milliseconds by lesson number and seat. */
  credit: Map<string, number>
  /** What challenges left of them, by lesson number and seat; nothing of lessons without challenges. */
  left: Map<string, Left>
  /** The scheme under which hours are checked (null: nobody told or showed it), and what it takes, by lesson number and seat. */
  rules: Rules | null
  cut: Map<string, number>
  changes: Change[]
  /** What corrections come to, by lesson number and seat. */
  corrected: Map<string, number>
  /** Minutes of trainees with credit, and how many of them their own page signed; null: nobody looked at signatures. */
  nCredited: number
  nSigned: number | null
  pages: Pages
  /** Challenges that came later than their seed says because nothing could be stored. */
  nDelayed: number
  /** Who sits where, and of whom the log was not told in time. */
  seats: Seats
  /** Settlements that follow from the evidence, by number and seat; and the numbers of those whose lessons it does not show. */
  settled: Settlement[]
  unchecked: number[]
  /** How many acts (互动记录) there are of each lesson with any, by its number. */
  steps: Map<number, number>
  /** How the log came to its present key and name. */
  handovers: Handover[]
  /** What was deleted after its time, by lesson number. */
  deleted: { slot: number; lesson: number; records: number }[]
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
  look.ended(bundle.genesis + checkpoint.size - 1)
  const times = timesOf(bundle, note, keys, checkpoint)
  const marked = (flag: number): number[] => look.leaves.filter((one) => one.flags & flag).map((one) => one.slot)
  return {
    findings: look.findings.sorted(),
    checkpoint,
    note: bundle.checkpoint,
    signers,
    witnesses: checkWitnesses(note, keys),
    nMinutes: look.leaves.length, nRecords: look.nRecords,
    gaps: marked(GAP),
    clockWrong: marked(CLOCK_WRONG),
    unwitnessed: look.leaves.map((one) => one.slot).filter((slot) => !seenInTime(slot, bundle.genesis, times)),
    nUnseen: neverSeen(look.leaves.map((one) => one.slot), bundle.genesis, times, keys),
    unended: look.earned.unended(),
    lessons: look.earned.lessonMinutes(),
    credit: look.earned.creditBySeat(),
    left: look.left,
    rules: look.rules, cut: look.cut,
    changes: look.changes, corrected: look.correctedMs,
    nCredited: look.nCredited,
    nSigned: null, nDelayed: look.nDelayed,
    pages: look.pages,
    seats: look.seats, steps: look.acted(),
    handovers, ...look.settlements.told(),
    deleted: look.earned.erased.done().map((one) => ({ ...one, lesson: look.findings.number(one.lesson) })).filter((one) => one.lesson >= 0),
  }
}

/** Look at the signatures of pages too, as far as the browser can; `told` hears how many were looked at. */
export async function checkPages(report: Report, told: (done: number) => Promise<void> = async () => { /* nobody asked */ }): Promise<void> {
  const { claims } = report.pages
  const right = await good(claims, told)
  if (!right) return
  report.nSigned = report.pages.covered(right)
  const known = new Set(right)
  report.findings = [...report.findings, ...claims.filter((one) => !known.has(one)).map((one) => one.finding)].sort(byWorth)
}

/** The same at once, without the signatures of pages. */
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
