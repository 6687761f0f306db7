/** What a refusal of media says: which way is left where the uplink or the processor is spent. */
export type Left = 'parts' | 'voice'

interface Told { code?: string; data?: { next?: Left | null } }

/** `next`: what is left, null where nothing is or where it was refused for another reason. */
export class Refused extends Error {
  readonly next: Left | null

  constructor({ code, data }: Told) {
    super(`refused ${code ?? ''}`)
    this.next = data?.next ?? null
  }
}

/** What an answer that is none says. */
export async function refusal(answer: Response): Promise<Refused> {
  return new Refused(await answer.json().catch(() => ({})) as Told)
}
