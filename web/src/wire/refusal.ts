/** The one shape of everything that goes wrong between page and server: a stable code and what belongs to it. */
export type RefusalData = Record<string, unknown>

export class Refusal extends Error {
  readonly code: string
  readonly data: RefusalData
  constructor(code: string, data: RefusalData = {}) {
    super(code)
    this.code = code
    this.data = data
  }
}

/** What will be otherwise in a moment: whoever was refused so asks again by themselves. */
const PASSING = new Set(['offline', 'store_unavailable', 'owner_changing', 'closing', 'too_many_tries', 'internal_error'])
export const passes = (code: string): boolean => PASSING.has(code)

/** Whatever was thrown, as a refusal: unknown faults keep their own name as a code. */
export function asRefusal(fault: unknown): Refusal {
  if (fault instanceof Refusal) return fault
  return new Refusal('page_fault', { detail: fault instanceof Error ? fault.name : 'unknown' })
}
