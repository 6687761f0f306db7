/** Decides what the evidence of a lesson, worked out anew in this browser, says of one trainee. */
import { readBundle } from '../verify/bundle'
import { check, checkPages, type Report } from '../verify/check'
import type { Finding } from '../verify/findings'
import { DEPENDENT, readKeys } from '../verify/notes'

export interface Proven {
  /** `unknown`: it all fits together, and none of the given keys signed it, or no given witness has seen it all. */
  verdict: 'holds' | 'unknown' | 'changed'
  /** About this trainee, or about the lesson as a whole. */
  findings: Finding[]
  /** About somebody else in this lesson. */
  others: number
  minutes: number
  creditMs: number
  size: number
  signer: string
  witnesses: { name: string; outside: boolean; atS: number }[]
  unwitnessed: number
  /** Whether this browser could look at what pages signed. */
  signaturesSeen: boolean
}

/** Work the evidence out. `keys` are lines from elsewhere; without any nobody vouches for the log. Throws Refused. */
export async function prove(evidence: string, keys: string, lesson: number, seat: number): Promise<Proven> {
  const report = check(readBundle(evidence), readKeys(keys))
  await checkPages(report)
  return tell(report, lesson, seat)
}

/** What of a report concerns one seat of one lesson. */
export function tell(report: Report, lesson: number, seat: number): Proven {
  const findings = report.findings.filter((one) => one.seat === seat || one.seat < 0)
  return {
    verdict: findings.length ? 'changed' : report.signers.length && !report.nUnseen ? 'holds' : 'unknown',
    findings,
    others: report.findings.length - findings.length,
    minutes: report.lessons.get(lesson)?.size ?? 0,
    creditMs: report.credit.get(`${lesson} ${seat}`) ?? 0,
    size: report.checkpoint.size,
    signer: report.checkpoint.origin,
    witnesses: report.witnesses.map((one) => ({ name: one.key.name, outside: !one.key.name.startsWith(DEPENDENT), atS: one.atS })),
    unwitnessed: report.unwitnessed.length,
    signaturesSeen: report.nSigned !== null,
  }
}
