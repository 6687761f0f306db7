/** Decides what is said of each trainee of a lesson: recorded, to be verified, confirmed, or not and why; corrections with both. */
import type { Report } from './check'
import type { Refusal } from './vouched'
import { amount } from './sums'

export interface State { seat: number; recordedMs: number; pendingMs: number; refusedMs: [why: Refusal, ms: number][]; correctedMs: number; cutMs: number; confirmedMs: number }

/** The trainees of a lesson that has one, by seat. */
export function statesOf(report: Report, lesson: number): State[] {
  const pairs = new Set([...report.credit.keys(), ...report.corrected.keys()])
  const seats = [...pairs].map((pair) => pair.split(' ').map(Number)).filter(([number = -1, seat = -1]) => number === lesson && seat >= 0)
  return seats.map(([, seat = -1]) => stateOf(report, lesson, seat)).sort((a, b) => a.seat - b.seat)
}

function stateOf(report: Report, lesson: number, seat: number): State {
  const pair = `${lesson} ${seat}`
  const left = report.left.get(pair)
  const [recordedMs, correctedMs, cutMs] = [amount(report.credit, pair), amount(report.corrected, pair), amount(report.cut, pair)]
  return { seat, recordedMs, pendingMs: left?.pendingMs ?? 0, refusedMs: [...(left?.refusedMs ?? [])], correctedMs, cutMs, confirmedMs: recordedMs - (left?.ms ?? 0) + correctedMs - cutMs }
}
