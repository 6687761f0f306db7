/** Decides whether records keep what was acknowledged to a page in a lesson; the same as server/verify/acks.py. */
import { decode } from './notes'
import { Refused } from './tree'

export const FORMAT = 'keshi-ack/v1'
const MINUTE_MS = 60_000
const FORM = /^keshi-ack\/v1\n(?<origin>[^\s+]+)\nlesson (?<lesson>[0-9a-f]{16})\nperson (?<person>[0-9a-f]{16})\nlease (?:0|[1-9][0-9]{0,12}) (?:0|[1-9][0-9]{0,12}) (?<link>\S+)\nsealed (?<slot>0|[1-9][0-9]{0,12}) (?<creditMs>0|[1-9][0-9]{0,12})\n(?<minutes>(?:minute (?:0|[1-9][0-9]{0,12}) (?:0|[1-9][0-9]{0,12})\n){0,8})$/
type Said = Record<'origin' | 'lesson' | 'person' | 'link' | 'slot' | 'creditMs' | 'minutes', string>

export interface Ack { origin: string; lesson: string; person: string; sealedSlot: number; sealedMs: number; minutes: [slot: number, frontMs: number][] }

/** The text of a note as an acknowledgement. Throws Refused. */
export function readAck(text: string): Ack {
  const said = FORM.exec(text)?.groups as Said | undefined
  if (!said) throw new Refused('not an acknowledgement')
  if (said.link !== '-' && decode(said.link).length !== 32) throw new Refused('not an acknowledgement: its chain')
  const minutes = said.minutes.split('\n').slice(0, -1).map((line): [number, number] => {
    const [, slot, frontMs] = line.split(' ')
    return [Number(slot), Number(frontMs)]
  })
  return { origin: said.origin, lesson: said.lesson, person: said.person, sealedSlot: Number(said.slot), sealedMs: Number(said.creditMs), minutes }
}

/** Whether a trainee's credited milliseconds by minute keep it; `deliveredMs` is the lesson's. */
export function keeps(ack: Ack, creditMs: ReadonlyMap<number, number>, deliveredMs: ReadonlyMap<number, number>): boolean {
  const sealed = [...creditMs].reduce((sum, [slot, ms]) => (slot < ack.sealedSlot ? sum + ms : sum), 0)
  return sealed === ack.sealedMs && ack.minutes.every(([slot, frontMs]) => (creditMs.get(slot) ?? 0) >= frontMs - (MINUTE_MS - (deliveredMs.get(slot) ?? 0)))
}
