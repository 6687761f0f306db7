/**
 * A trainee's place in a live lesson: joins, beats, comes back by itself, and knows in which of a few named situations
 * it is. What the page shows follows from `view` alone.
 */
import type { Notice } from '../attendance/attention'
import type { PageProof } from '../attendance/proof'
import { BeatQueue, mergeCells, tally } from '../attendance/state'
import type { Device } from '../ui/capable'
import { Store } from '../ui/store'
import type { AttentionRule, BeatAnswer, Cell, ChallengeState, JoinRequest, Joined, LessonState, LessonView, MediaAccess, Phase, ReasonMs, Totals } from '../wire/types'
import { calls, challengeOf, withheld, type Challenge } from './challenge'
import { Talk } from './talk'
import { Refusal, asRefusal, passes, type RefusalData } from '../wire/refusal'
import type { Line } from '../wire/socket'

/**
 * joining → in ⇄ reconnecting → ended; held: another device has the place; taken: another device took it; outside: in the
 * lobby, or removed by the instructor, until the door opens.
 */
export type Stage = 'joining' | 'in' | 'reconnecting' | 'held' | 'taken' | 'outside' | 'ended' | 'refused'

export interface RoomView {
  stage: Stage
  lesson: LessonView | null
  phase: Phase | null
  cells: Cell[]
  totals: Totals | null
  credit_ms: number
  media: Joined['media'] | null
  /** Who holds or took the place, or why we were refused. */
  refusal: { code: string; data: RefusalData } | null
  /** Acknowledged beats since the line came back: 0 says "being connected", not "recorded". */
  acks: number
  /** How the trainee stands where a scheme asks for checks; null until the server says anything. */
  challenge: Challenge | null
  /** What the scheme asks of a page in front, and what there is to say of it just now. */
  attention: AttentionRule | null
  notice: Notice
  /** Why an answer was not taken. */
  challengeRefusal: { code: string; data: RefusalData } | null
}

/** What a page must offer: clocks, visibility, a memory that survives a reload but not the tab, one that stays. */
export interface Page {
  /** Random, made once a page load. */
  readonly id: string
  mono(): number
  visible(): boolean
  /** Whether the window has the focus. */
  focused(): boolean
  remember(key: string, value: string | null): void
  recall(key: string): string | null
  /** Keeps what the log signed. */
  keep(note: string): void
  /** The minutes of a lesson as the server judges them, with what challenges made of them. */
  judged(lesson: string): Promise<Cell[]>
}

const START: RoomView = { stage: 'joining', lesson: null, phase: null, cells: [], totals: null, credit_ms: 0, media: null, refusal: null, acks: 0, challenge: null, challengeRefusal: null, attention: null, notice: null }
/** A lost beat is said again after this long, while the line itself stands. */
const AGAIN_MS = 2_000
const OUTSIDE = new Set(['in_lobby', 'removed_from_lesson'])
/** Whoever waits outside asks again by themselves, should they not be told. */
const KNOCK_MS = 20_000

export class TraineeRoom {
  readonly view = new Store<RoomView>(START)
  /** What people do in the lesson. */
  readonly talk: Talk
  readonly #line: Line
  readonly #page: Page
  readonly #lesson: string
  readonly #device: Device
  readonly #proof: PageProof | null
  #queue: BeatQueue | null = null
  #epoch = 0
  #wanted = false
  #joining = false
  #moved: number

  constructor(line: Line, page: Page, lesson: string, device: Device, proof: PageProof | null = null) {
    this.#line = line
    this.talk = new Talk(line, lesson)
    this.#page = page
    this.#lesson = lesson
    this.#device = device
    this.#proof = proof
    this.#moved = page.mono()
    line.onState((state, refusal) => {
      if (this.#over()) return
      if (state === 'connected') void this.join()
      else if (state === 'refused' && refusal) this.#refuse(refusal)
      else this.#lostLine()
    })
    line.on('lesson:phase', (phase) => { this.#phase(phase) })
    line.on('lease:probe', () => undefined)
    line.on('challenge:state', (said) => { this.#stands(said) })
    line.on('lease:lost', (lost) => {
      if (lost.lesson_id !== lesson) return
      // Whoever was removed asks to come in: so they hear it when they may.
      if (lost.reason === 'removed') void this.join()
      else this.#taken({ reason: lost.reason, device: lost.device, at: lost.at })
    })
    line.on('lesson:door', (door) => { if (door.lesson_id === lesson) this.#knock() })
  }

  /** Takes the place in the lesson. With a password: takes it over from another device. */
  async join(password: string | null = null): Promise<void> {
    if (this.#joining) return
    this.#joining = true
    const shown = this.#proof && await this.#proof.show(this.#page.id)
    const ask: JoinRequest = {
      lesson_id: this.#lesson, device: this.#device, page: this.#page.id, resume: this.#page.recall(this.#key()), password,
      mono: this.#page.mono(), key: null, nonce: null, proof: null, ...shown,
    }
    try {
      this.#joined(await this.#line.request('lesson:join', ask))
    } catch (fault) {
      const refusal = asRefusal(fault)
      if (refusal.code === 'page_key_wrong' && this.#proof) this.#withoutKey(this.#proof, password)
      else this.#notJoined(refusal)
    } finally {
      this.#joining = false
    }
  }

  /** The page came to the front or left it: said at once. */
  visibility(visible: boolean): void {
    const turned = this.#queue?.visibility(visible, this.#page.mono())
    if (!this.#attend(visible) && turned) void this.#beat()
  }

  /** Something that only a person does, or the window's focus changed. */
  attend(moved: boolean): void {
    this.#attend(moved)
  }

  #attend(moved: boolean): boolean {
    const mono = this.#page.mono()
    if (moved) this.#moved = mono
    const turned = this.#queue?.attend(this.#page.focused(), moved, mono) ?? false
    const notice = this.#queue?.notice(mono) ?? null
    if (notice !== this.view.value.notice) this.view.patch({ notice })
    if (turned) void this.#beat()
    return turned
  }

  /** Called every second or so; how late it comes does not matter. */
  tick(): void {
    const { phase } = this.view.value
    // While nothing is taught nobody need move: their time begins with the lesson.
    this.#attend(phase?.state !== 'live' || !phase.instructor_present)
    if (this.view.value.stage === 'in' && this.#queue?.due(this.#page.mono())) void this.#beat()
  }

  /** Answers what is asked. */
  async answer(text: string): Promise<void> {
    const asked = this.view.value.challenge
    if (asked) await this.#verified(this.#line.request('challenge:answer', { lesson_id: this.#lesson, epoch: this.#epoch, number: asked.number, answer: text }))
  }

  /** Nothing counts any more: be asked again. */
  async verify(): Promise<void> {
    await this.#verified(this.#line.request('challenge:verify', { lesson_id: this.#lesson, epoch: this.#epoch }))
  }

  async #verified(answer: Promise<ChallengeState>): Promise<void> {
    try {
      this.#stands(await answer)
    } catch (fault) {
      this.view.patch({ challengeRefusal: asRefusal(fault) })
    }
  }

  #stands(said: ChallengeState): void {
    if (said.lesson_id !== this.#lesson) return
    const before = this.view.value.challenge
    this.view.patch({ challenge: challengeOf(said, this.#page.mono()), challengeRefusal: null })
    if (before?.state !== said.state && (said.state !== 'asked' || !before)) void this.#recount()
  }

  /** An outcome changes what earlier minutes are worth: only the server knows how. */
  async #recount(): Promise<void> {
    const judged = await this.#page.judged(this.#lesson).catch(() => [])
    this.view.patch({ cells: mergeCells(this.view.value.cells, judged) })
  }

  leave(): void {
    if (this.view.value.stage === 'in') {
      void this.#beat()
      void this.#line.request('lesson:leave', { lesson_id: this.#lesson, epoch: this.#epoch }).catch(() => undefined)
    }
    this.#line.close()
  }

  #key(): string {
    return `keshi.resume.${this.#lesson}`
  }

  /** A fresh token: one lives ten minutes at most. None while the server is away; the next try asks again. */
  async renew(): Promise<MediaAccess | null> {
    try {
      const { media } = await this.#line.request('lesson:media', { lesson_id: this.#lesson })
      if (this.view.value.media) this.view.patch({ media })
      return media
    } catch {
      return null
    }
  }

  #over(): boolean {
    return ['taken', 'ended', 'refused'].includes(this.view.value.stage)
  }

  #joined(answer: Joined): void {
    const { lease, lesson, phase, media, cells, totals } = answer
    if (!lease) {
      // The server answers so to everybody but trainees: they have no business on this page.
      this.#refuse(new Refusal('role_refused'))
      return
    }
    this.#page.remember(this.#key(), lease.resume)
    if (this.#queue && this.#epoch === lease.epoch) this.#queue.resumed(lease)
    else this.#queue = new BeatQueue(this.#lesson, lease, this.#page.visible(), this.#page.mono(), this.#moved)
    this.#queue.visibility(this.#page.visible(), this.#page.mono())
    this.#epoch = lease.epoch
    this.#proof?.joined(lease)
    const known = mergeCells(this.view.value.cells, cells)
    const { challenge, notice } = this.view.value
    this.view.set({ stage: 'in', lesson, phase, media, totals, cells: known, credit_ms: totals?.credit_ms ?? 0, refusal: null, acks: 0, challenge, challengeRefusal: null, attention: lease.attention, notice })
    this.#attend(false)
    void this.#beat()
    void this.talk.catchUp()
    if (phase.state === 'ended') this.#end(true)
  }

  #withoutKey(proof: PageProof, password: string | null): void {
    proof.withhold()
    setTimeout(() => { void this.join(password) })
  }

  #notJoined(refusal: Refusal): void {
    if (passes(refusal.code)) {
      this.#lostLine()
      setTimeout(() => { if (['joining', 'reconnecting'].includes(this.view.value.stage)) void this.join() }, AGAIN_MS)
      return
    }
    if (OUTSIDE.has(refusal.code)) {
      this.view.patch({ stage: 'outside', media: null, refusal })
      setTimeout(() => { this.#knock() }, KNOCK_MS)
      return
    }
    switch (refusal.code) {
      case 'lease_held':
        this.view.patch({ stage: 'held', refusal })
        return
      case 'password_wrong':
      case 'take_over_limit':
        this.view.patch({ stage: 'held', refusal: { code: refusal.code, data: { ...this.view.value.refusal?.data, ...refusal.data } } })
        return
      case 'lesson_ended':
        this.#end()
        return
      default:
        this.#refuse(refusal)
    }
  }

  async #beat(): Promise<void> {
    const beat = this.#queue?.take(this.#page.mono())
    if (!beat) {
      this.#wanted = this.#queue !== null
      return
    }
    this.#wanted = false
    try {
      this.#heard(await this.#line.request('beat', this.#proof?.sent(beat) ?? beat))
      this.#catchUp()
    } catch (fault) {
      this.#queue?.lost()
      this.#notHeard(asRefusal(fault))
      if (this.view.value.stage === 'ended') this.#catchUp()
    }
  }

  /** Something changed while the last beat was in flight; after the lesson's very last one the line is let go. */
  #catchUp(): void {
    if (this.#wanted) void this.#beat()
    else if (this.view.value.stage === 'ended') this.#line.close()
  }

  #heard(ack: BeatAnswer): void {
    this.#queue?.acknowledged(ack)
    this.#proof?.heard(ack)
    if (ack.note) this.#page.keep(ack.note)
    const { cells, acks, challenge } = this.view.value
    const fresh = challenge ? ack.cells.map((one) => withheld(one, cells.find(({ slot }) => slot === one.slot), challenge.reason)) : ack.cells
    this.view.patch({ cells: mergeCells(cells, fresh), credit_ms: ack.credit_ms, acks: acks + 1 })
  }

  #notHeard(refusal: Refusal): void {
    if (this.#over()) return
    switch (refusal.code) {
      case 'lease_lost':
        this.#taken(refusal.data)
        return
      case 'lesson_ended':
        this.#end()
        return
      case 'beat_refused':
        // The server knows another state than we do: joining again with the resume settles it.
        if (refusal.data.why === 'signature') this.#proof?.doubt()
        void this.join()
        return
      default:
        setTimeout(() => { if (this.view.value.stage === 'in') void this.#beat() }, AGAIN_MS)
    }
  }

  #phase(phase: Phase): void {
    const { stage, phase: known, lesson } = this.view.value
    if (phase.lesson_id !== this.#lesson || this.#over() || (known && phase.seq < known.seq)) return
    this.view.patch({ phase, lesson: lesson && { ...lesson, state: phase.state } })
    if (stage === 'in') void this.#beat()
    if (phase.state === 'ended') this.#end(stage === 'in')
  }

  #lostLine(): void {
    this.#queue?.lost()
    if (this.view.value.lesson) this.view.patch({ stage: 'reconnecting', acks: 0 })
  }

  /** The door has opened, or it is time to ask again whether it has. */
  #knock(): void {
    if (this.view.value.stage === 'outside') void this.join()
  }

  #taken(data: RefusalData): void {
    this.#page.remember(this.#key(), null)
    this.view.patch({ stage: 'taken', media: null, refusal: { code: 'lease_lost', data } })
    this.#line.close()
  }

  #refuse(refusal: Refusal): void {
    this.view.patch({ stage: 'refused', media: null, refusal: { code: refusal.code, data: refusal.data } })
    this.#line.close()
  }

  /** With `telling`, a beat is under way that tells the seconds up to the end: cutting it off would cost them. */
  #end(telling = false): void {
    this.#page.remember(this.#key(), null)
    this.view.patch({ stage: 'ended', media: null })
    if (!telling) this.#line.close()
  }
}

/** The one quiet line under the picture: what this minute is worth so far, never a promise. */
export type Quiet = 'reconnecting' | 'waiting' | NonNullable<Notice> | 'paused' | 'break' | 'instructor_away' | 'hidden_now' | 'hidden_before' | 'connecting' | 'challenge' | 'blocked' | 'recorded'

const CALLED = { asked: 'challenge', blocked: 'blocked', clear: 'recorded' } as const

export function quietOf(view: RoomView, visible: boolean): Quiet {
  if (view.stage === 'reconnecting') return 'reconnecting'
  const phase = view.phase
  if (phase?.state !== 'live') return held(phase?.state)
  if (!phase.instructor_present) return 'instructor_away'
  if (calls(view.challenge)) return CALLED[view.challenge.state]
  return visible ? minuteNow(view) : 'hidden_now'
}

const held = (state: LessonState | undefined): Quiet => (state === 'break' || state === 'paused' ? state : 'waiting')

function minuteNow(view: RoomView): Quiet {
  if (view.acks === 0) return 'connecting'
  if (view.notice) return view.notice
  return missed(view.cells.at(-1)) ? 'hidden_before' : 'recorded'
}

/** What the page's own doing took from a minute, the first of these that is a second long. */
export function missed(cell: Cell | undefined): ReasonMs | undefined {
  return cell?.reasons.find(({ code, ms }) => ['hidden', 'blurred', 'idle'].includes(code) && ms >= 1_000)
}

export const creditOf = (view: RoomView): number => Math.max(view.credit_ms, tally(view.cells).credit_ms)
