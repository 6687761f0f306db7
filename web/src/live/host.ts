/** The lesson as its instructor, or somebody who only watches, sees it: phase, roster by minute, commands. */
import { mergeCells } from '../attendance/state'
import type { Device } from '../ui/capable'
import { Store } from '../ui/store'
import { Talk } from './talk'
import { asRefusal, type RefusalData } from '../wire/refusal'
import type { Line } from '../wire/socket'
import type { Audience, Cell, JoinRequest, Joined, LessonView, MediaAccess, NetworkRow, Phase, RosterRow, StreamState } from '../wire/types'

export type Command = 'lesson:start' | 'lesson:pause' | 'lesson:break' | 'lesson:resume' | 'lesson:end'

export interface HostView {
  stage: 'joining' | 'in' | 'reconnecting' | 'refused'
  lesson: LessonView | null
  phase: Phase | null
  media: Joined['media'] | null
  /** Set for a regulator: this look was recorded. */
  view_id: string | null
  roster: RosterRow[]
  /** Of the lesson's stream key; null until it was looked for. */
  stream: StreamState | null
  /** Each trainee's line, as far as something is sent; for who teaches only. */
  network: NetworkRow[]
  /** Who watches by which way; null until it is told. */
  audience: Audience | null
  refusal: { code: string; data: RefusalData } | null
  busy: Command | null
}

const START: HostView = { stage: 'joining', lesson: null, phase: null, media: null, view_id: null, roster: [], network: [], stream: null, audience: null, refusal: null, busy: null }
const AGAIN_MS = 2_000
const NETWORK_MS = 5_000

export class HostRoom {
  readonly view = new Store<HostView>(START)
  /** What people do in the lesson. */
  readonly talk: Talk
  readonly #line: Line
  readonly #ask: JoinRequest
  readonly #looking = setInterval(() => { void this.#look() }, NETWORK_MS)

  constructor(line: Line, lesson: string, device: Device, page: string) {
    this.#line = line
    this.talk = new Talk(line, lesson)
    this.#ask = { lesson_id: lesson, device, page, resume: null, password: null, mono: null, key: null, nonce: null, proof: null }
    line.onState((state, refusal) => {
      if (state === 'connected') void this.#join()
      else if (state === 'refused' && refusal) this.view.patch({ stage: 'refused', refusal })
      else if (this.view.value.lesson) this.view.patch({ stage: 'reconnecting' })
    })
    line.on('lesson:phase', (phase) => { if (phase.lesson_id === lesson) this.#phase(phase) })
    line.on('lesson:stream', (stream) => { if (stream.lesson_id === lesson) this.view.patch({ stream }) })
    line.on('lesson:audience', (audience) => { if (audience.lesson_id === lesson) this.view.patch({ audience }) })
    // Rows that nobody sends again may be among what was left out.
    line.on('lesson:missed', () => { void this.#join() })
    line.on('lesson:roster', (change) => { if (change.lesson_id === lesson) this.#rows(change.rows) })
  }

  /** A fresh token: one lives ten minutes at most. None while the server is away; the next try asks again. */
  async renew(): Promise<MediaAccess | null> {
    try {
      const { media } = await this.#line.request('lesson:media', { lesson_id: this.#ask.lesson_id })
      if (this.view.value.media) this.view.patch({ media })
      return media
    } catch {
      return null
    }
  }

  async command(event: Command): Promise<void> {
    this.view.patch({ busy: event, refusal: null })
    try {
      const { phase } = await this.#line.request(event, { lesson_id: this.#ask.lesson_id })
      this.view.patch({ busy: null })
      this.#phase(phase)
    } catch (fault) {
      this.view.patch({ busy: null, refusal: asRefusal(fault) })
    }
  }

  /** How it stands with the stream key. */
  async lookAtStream(): Promise<void> {
    const { stream } = await this.#line.request('lesson:stream_look', { lesson_id: this.#ask.lesson_id })
    this.view.patch({ stream })
  }

  /** A new stream key, shown this once; the one before ends. */
  async makeKey(): Promise<{ key: string; whip: string }> {
    const { key, whip, stream } = await this.#line.request('lesson:stream_key', { lesson_id: this.#ask.lesson_id })
    this.view.patch({ stream })
    return { key, whip }
  }

  async revokeKey(): Promise<void> {
    const { stream } = await this.#line.request('lesson:stream_revoke', { lesson_id: this.#ask.lesson_id })
    this.view.patch({ stream })
  }

  close(): void {
    clearInterval(this.#looking)
    this.#line.close()
  }

  async #join(): Promise<void> {
    try {
      const { lesson, phase, media, roster, view_id } = await this.#line.request('lesson:join', this.#ask)
      this.view.patch({ stage: 'in', lesson, phase, media, roster, view_id, refusal: null })
      void this.talk.catchUp()
    } catch (fault) {
      const refusal = asRefusal(fault)
      if (refusal.code === 'offline') setTimeout(() => { void this.#join() }, AGAIN_MS)
      else this.view.patch({ stage: 'refused', refusal })
    }
  }

  /** How the picture gets to the trainees; a question that fails is asked again soon enough. */
  async #look(): Promise<void> {
    const { stage, media, phase } = this.view.value
    if (stage !== 'in' || !media?.whip) return
    if (!phase?.publisher_live) {
      if (this.view.value.network.length) this.view.patch({ network: [] })
      return
    }
    const told = await this.#line.request('lesson:network', { lesson_id: this.#ask.lesson_id }).catch(() => null)
    if (told) this.view.patch({ network: told.rows })
  }

  #phase(phase: Phase): void {
    const { phase: known, lesson } = this.view.value
    if (known && phase.seq < known.seq) return
    this.view.patch({ phase, lesson: lesson && { ...lesson, state: phase.state } })
  }

  #rows(fresh: readonly RosterRow[]): void {
    const byPerson = new Map(this.view.value.roster.map((row) => [row.person_id, row]))
    for (const row of fresh) {
      byPerson.set(row.person_id, { ...row, cells: mergeCells(byPerson.get(row.person_id)?.cells ?? [], row.cells) })
    }
    this.view.patch({ roster: [...byPerson.values()] })
  }
}

export interface Counters { front: number; behind: number; away: number; all: number }

export function count(roster: readonly RosterRow[]): Counters {
  const here = roster.filter((row) => row.present)
  const front = here.filter((row) => row.visible).length
  return { front, behind: here.length - front, away: roster.length - here.length, all: roster.length }
}

const OF_THOSE_WHO_CAME = new Set<string>(['hidden', 'blurred', 'idle', 'disconnected', 'other_device'])
const came = (row: RosterRow) => row.credit_ms > 0 || row.cells.some((cell) => cell.reasons.some((r) => OF_THOSE_WHO_CAME.has(r.code)))

/** Who needs a look comes first: behind, then gone after having been here, then in front; who never came is last. */
function concern(row: RosterRow): number {
  if (row.present) return row.visible ? 2 : 0
  return came(row) ? 1 : 3
}

export function byAttention(roster: readonly RosterRow[]): RosterRow[] {
  return [...roster].sort((a, b) => concern(a) - concern(b) || a.seat - b.seat)
}

/** The minutes a roster covers, with room for the minute that begins next. */
export function reach(rows: readonly { cells: Cell[] }[]): { first: number; last: number } | null {
  let first = Number.POSITIVE_INFINITY
  let last = Number.NEGATIVE_INFINITY
  for (const { cells } of rows) {
    const [a, b] = [cells[0], cells.at(-1)]
    if (!a || !b) continue
    first = Math.min(first, a.slot)
    last = Math.max(last, b.slot)
  }
  return last < first ? null : { first, last }
}
