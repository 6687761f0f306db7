/** The lesson as its instructor, or somebody who only watches, sees it: phase, roster by minute, commands. */
import type { Device } from '../ui/capable'
import { Store } from '../ui/store'
import { Talk } from './talk'
import { asRefusal, passes, type RefusalData } from '../wire/refusal'
import type { Line } from '../wire/socket'
import { Sight } from './sight'
import type { Audience, JoinRequest, Joined, LessonView, MediaAccess, NetworkRow, Phase, RosterRow, StreamState } from '../wire/types'

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
/** So many of the newest minutes are shown. */
const DESK_MINUTES = 90
const PHONE_MINUTES = 30

export class HostRoom {
  readonly view = new Store<HostView>(START)
  /** What people do in the lesson. */
  readonly talk: Talk
  /** The minutes of those in sight. */
  readonly sight: Sight
  readonly #line: Line
  readonly #ask: JoinRequest
  readonly #looking = setInterval(() => { void this.#look() }, NETWORK_MS)

  constructor(line: Line, lesson: string, device: Device, page: string) {
    this.#line = line
    this.talk = new Talk(line, lesson)
    this.#ask = { lesson_id: lesson, device, page, resume: null, password: null, mono: null, key: null, nonce: null, proof: null }
    this.sight = new Sight(
      (person_ids, since_slot) => line.request('lesson:strips', { lesson_id: lesson, person_ids, since_slot }),
      device === 'phone' ? PHONE_MINUTES : DESK_MINUTES,
    )
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
    this.sight.close()
    this.#line.close()
  }

  async #join(): Promise<void> {
    try {
      const { lesson, phase, media, roster, view_id } = await this.#line.request('lesson:join', this.#ask)
      this.view.patch({ stage: 'in', lesson, phase, media, roster, view_id, refusal: null })
      void this.talk.catchUp()
      void this.sight.look()
    } catch (fault) {
      const refusal = asRefusal(fault)
      if (passes(refusal.code)) setTimeout(() => { void this.#join() }, AGAIN_MS)
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
    for (const row of fresh) byPerson.set(row.person_id, row)
    this.view.patch({ roster: [...byPerson.values()] })
  }
}
