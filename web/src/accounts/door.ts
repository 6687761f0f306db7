/** Gets through a busy door by itself: waits in the line with its ticket, works when work is asked for. What was typed stays. */
import { Store } from '../ui/store'
import { post } from '../wire/http'
import { asRefusal, type Refusal } from '../wire/refusal'
import type { Challenge } from './prove'

/** `waiting`: people in front of us; `working`: a proof of work is being made. */
export type DoorState = { kind: 'open' } | { kind: 'waiting'; place: number } | { kind: 'working' }
export const door = new Store<DoorState>({ kind: 'open' })

/** Doors may ask for a harder proof while one is made; more often than this is no honest server. */
const MOST_PROOFS = 5
/** A place in the line outlives a short break of the network. */
const MOST_BREAKS = 5
const BREAK_S = 2

const seconds = (s: number): Promise<void> => new Promise((done) => setTimeout(done, s * 1000))
const number = (value: unknown, otherwise: number): number => (typeof value === 'number' ? value : otherwise)

interface Pass { ticket: string; proof: string; proofs: number; breaks: number }

/** What one refusal leads to; anything that no patience helps against is thrown. */
async function answer(refusal: Refusal, pass: Pass): Promise<void> {
  if (refusal.code === 'waiting') {
    door.set({ kind: 'waiting', place: number(refusal.data.place, 1) })
    pass.ticket = String(refusal.data.ticket)
    pass.proof = ''
    pass.breaks = 0
    await seconds(number(refusal.data.retry_after_s, 1))
  } else if (refusal.code === 'proof_needed' && pass.proofs < MOST_PROOFS) {
    door.set({ kind: 'working' })
    pass.proofs += 1
    pass.ticket = ''
    const { prove } = await import('./prove')
    pass.proof = await prove(refusal.data.challenge as Challenge)
  } else if (refusal.code === 'offline' && pass.ticket && pass.breaks < MOST_BREAKS) {
    pass.breaks += 1
    await seconds(BREAK_S)
  } else throw refusal
}

export async function knock<T>(path: string, body: Record<string, string>): Promise<T> {
  const pass: Pass = { ticket: '', proof: '', proofs: 0, breaks: 0 }
  try {
    for (;;) {
      const said = { ...(pass.ticket && { ticket: pass.ticket }), ...(pass.proof && { proof: pass.proof }) }
      try {
        return await post<T>(path, { ...body, ...said })
      } catch (fault) {
        await answer(asRefusal(fault), pass)
      }
    }
  } finally {
    door.set({ kind: 'open' })
  }
}
