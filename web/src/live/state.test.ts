import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { Cell, Commands, Pushes, BeatRequest, Joined, LessonView, Phase } from '../wire/types'
import { Refusal } from '../wire/refusal'
import type { Line, LineState } from '../wire/socket'
import { PageProof } from '../attendance/proof'
import { TraineeRoom, quietOf, type Page } from './state'

/** A line that answers from a script and lets the test cut it. */
class FakeLine implements Line {
  readonly sent: [string, unknown][] = []
  readonly heard = new Map<string, (payload: never) => void>()
  answers = new Map<string, (payload: never) => unknown>()
  closed = false
  #state: (state: LineState, refusal?: Refusal) => void = () => undefined
  async request<E extends keyof Commands>(event: E, payload: object): Promise<Commands[E]['response']> {
    this.sent.push([event, payload])
    await Promise.resolve()
    const answer = this.answers.get(event)?.(payload as never)
    if (answer instanceof Refusal) throw answer
    return answer as Commands[E]['response']
  }
  on<E extends keyof Pushes>(event: E, heard: (payload: Pushes[E]) => void): void { this.heard.set(event, heard) }
  onState(heard: (state: LineState, refusal?: Refusal) => void): void { this.#state = heard }
  open(): void { this.#state('connected') }
  close(): void { this.closed = true }
  cut(): void { this.#state('lost') }
  says(event: string, payload: unknown): void { this.heard.get(event)?.(payload as never) }
  beats(): BeatRequest[] { return this.sent.filter(([event]) => event === 'beat').map(([, payload]) => payload as BeatRequest) }
}

const LESSON = { id: 'l', state: 'live' } as LessonView
const PHASE: Phase = { lesson_id: 'l', state: 'live', since: '', seq: 1, publisher_live: true, instructor_present: true }
const JOINED: Joined = {
  lesson: LESSON, phase: PHASE, lease: { epoch: 1, resume: 'again', seq: 0, nonce: 'n0', attention: null }, media: { room: 'r', token: 't', whep: '/w', whip: null, ice: [] }, cells: [], roster: [], view_id: null,
  totals: { open_ms: 0, credit_ms: 0, corrected_ms: 0, pending_ms: 0, confirmed_ms: 0, reasons: [], refused: [], state: 'recorded', cut: [], complete: null, late: null },
}

let line: FakeLine
let memory: Map<string, string>
let notes: string[]
let judged: Cell[]
let now: number
let front: boolean
let focus: boolean
let room: TraineeRoom
const settle = async () => { for (let i = 0; i < 20; i += 1) await Promise.resolve() }

beforeEach(() => {
  vi.useFakeTimers()
  line = new FakeLine()
  memory = new Map()
  notes = []
  now = 1_000
  front = true
  focus = true
  const page: Page = {
    id: 'page-one', mono: () => now, visible: () => front, focused: () => focus, recall: (key) => memory.get(key) ?? null,
    remember: (key, value) => { if (value === null) memory.delete(key); else memory.set(key, value) },
    keep: (note) => { notes.push(note) },
    judged: () => Promise.resolve(judged),
  }
  judged = []
  room = new TraineeRoom(line, page, 'l', 'phone')
  line.answers.set('lesson:join', () => JOINED)
  line.answers.set('beat', (beat: BeatRequest) => ({ seq: beat.seq, nonce: `n${beat.seq}`, cells: [], credit_ms: 5 }))
})

describe('a lesson whose scheme asks for attention', () => {
  const attention = { focus: true, idle_ms: 300_000 }
  beforeEach(async () => {
    line.answers.set('lesson:join', () => ({ ...JOINED, lease: { ...JOINED.lease, attention } }))
    line.open()
    await settle()
  })
  it('is told of focus and its loss at once, and the trainee too', async () => {
    focus = false
    now = 5_000
    room.attend(false)
    await settle()
    expect(line.beats().at(-1)?.attention).toEqual({ focused: [[1_000, 5_000]], active: [[1_000, 5_000]] })
    expect(quietOf(room.view.value, true)).toBe('blurred_now')
    focus = true
    now = 7_000
    room.attend(true)
    await settle()
    expect(line.beats().at(-1)?.attention).toEqual({ focused: [], active: [[5_000, 7_000]] })
    expect(quietOf(room.view.value, true)).toBe('recorded')
  })
  it('warns before idle time costs, and goes on with the next sign', async () => {
    now = 241_500
    room.tick()
    expect(quietOf(room.view.value, true)).toBe('idle_soon')
    now = 302_000
    room.tick()
    await settle()
    expect(quietOf(room.view.value, true)).toBe('idle_now')
    room.visibility(true)
    expect(quietOf(room.view.value, true)).toBe('recorded')
  })
  it('lets nobody be idle while nothing is taught', async () => {
    line.says('lesson:phase', { ...PHASE, seq: 2, state: 'break' })
    now = 900_000
    room.tick()
    await settle()
    now = 905_000
    line.says('lesson:phase', { ...PHASE, seq: 3 })
    room.tick()
    await settle()
    expect(quietOf(room.view.value, true)).toBe('recorded')
    expect(line.beats().at(-1)?.attention?.active.at(-1)).toEqual([900_000, 905_000])
  })
})

describe('a page whose key the server cannot make out', () => {
  it('joins without one', async () => {
    const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify'])
    const proof = new PageProof({ pair, shown: 'shown' }, 'l')
    const made = new TraineeRoom(line, { id: 'p', mono: () => now, visible: () => front, focused: () => focus, recall: () => null, remember: () => undefined, keep: () => undefined, judged: () => Promise.resolve([]) }, 'l', 'phone', proof)
    line.answers.set('lesson:join', (ask: { key: string | null }) => (ask.key === null ? JOINED : new Refusal('page_key_wrong')))
    await made.join()
    await vi.runOnlyPendingTimersAsync()
    await settle()
    const keys = line.sent.filter(([event]) => event === 'lesson:join').map(([, ask]) => (ask as { key: string | null }).key)
    expect(keys.map((key) => key === null)).toEqual([false, true])
    expect(made.view.value.stage).toBe('in')
  })
})

describe('a trainee', () => {
  it('joins, remembers how to come back, and beats at once', async () => {
    line.open()
    await settle()
    expect(room.view.value.stage).toBe('in')
    expect([...memory.values()]).toEqual(['again'])
    expect(line.beats()).toHaveLength(1)
    expect(room.view.value.credit_ms).toBe(5)
  })
  it('gets a fresh token for the picture, and none while the server is away', async () => {
    const fresh = { ...JOINED.media, token: 'fresh' }
    line.open()
    await settle()
    line.answers.set('lesson:media', () => ({ media: fresh }))
    expect(await room.renew()).toEqual(fresh)
    expect(room.view.value.media).toEqual(fresh)
    line.answers.set('lesson:media', () => { throw new Error('offline') })
    expect(await room.renew()).toBeNull()
    expect(room.view.value.media).toEqual(fresh)
  })
  it.each(['offline', 'store_unavailable', 'owner_changing', 'too_many_tries'])('asks again when its very first join fails by %s', async (code) => {
    line.answers.set('lesson:join', () => new Refusal(code))
    line.open()
    await settle()
    expect(room.view.value.stage).toBe('joining')
    line.answers.set('lesson:join', () => JOINED)
    await vi.advanceTimersByTimeAsync(2_000)
    expect(room.view.value.stage).toBe('in')
  })
  it('beats every ten seconds, and at once when the page goes behind', async () => {
    line.open()
    await settle()
    now = 11_000
    room.tick()
    await settle()
    now = 12_000
    room.visibility(false)
    await settle()
    expect(line.beats().map((b) => b.spans)).toEqual([[], [[1_000, 11_000]], [[11_000, 12_000]]])
  })
  it('says nothing twice while a beat is in flight, and catches up after its answer', async () => {
    line.open()
    await settle()
    now = 3_000
    room.visibility(false)
    now = 4_000
    room.visibility(true)
    await settle()
    expect(line.beats().map((b) => [b.seq, b.spans])).toEqual([[1, []], [2, [[1_000, 3_000]]], [3, []]])
  })
  it('keeps what was not heard over a cut and tells it after', async () => {
    line.open()
    await settle()
    line.answers.set('beat', () => new Refusal('offline'))
    now = 11_000
    room.tick()
    await settle()
    line.cut()
    expect(room.view.value.stage).toBe('reconnecting')
    line.answers.set('lesson:join', () => ({ ...JOINED, lease: { ...JOINED.lease, seq: 1, nonce: 'n1' } }))
    line.answers.set('beat', (beat: BeatRequest) => ({ seq: beat.seq, nonce: 'x', cells: [], credit_ms: 6 }))
    now = 30_000
    line.open()
    await settle()
    expect(line.sent.filter(([e]) => e === 'lesson:join').at(-1)?.[1]).toMatchObject({ resume: 'again' })
    expect(line.beats().at(-1)).toMatchObject({ seq: 2, spans: [[1_000, 30_000]] })
    expect(room.view.value.stage).toBe('in')
  })
  it('who was cut off before the end still tells the last seconds, then lets the line go', async () => {
    line.open()
    await settle()
    line.cut()
    line.answers.set('lesson:join', () => ({ ...JOINED, phase: { ...JOINED.phase, state: 'ended' }, lease: { ...JOINED.lease, seq: 1, nonce: 'n1' } }))
    let answer: (ack: unknown) => void = () => undefined
    line.answers.set('beat', () => new Promise((resolve) => { answer = resolve }))
    now = 30_000
    line.open()
    await settle()
    expect(line.beats().at(-1)).toMatchObject({ seq: 2 })
    expect(line.beats().at(-1)?.spans.at(-1)?.[1]).toBe(30_000)
    expect(room.view.value.stage).toBe('ended')
    expect(line.closed).toBe(false)
    answer({ seq: 2, nonce: 'n2', cells: [], credit_ms: 30_000 })
    await settle()
    expect(room.view.value.credit_ms).toBe(30_000)
    expect(line.closed).toBe(true)
  })
  it('whose place is held is told by whom, and takes it with a password', async () => {
    line.answers.set('lesson:join', () => new Refusal('lease_held', { device: 'desktop' }))
    line.open()
    await settle()
    expect(room.view.value).toMatchObject({ stage: 'held', refusal: { code: 'lease_held', data: { device: 'desktop' } } })
    line.answers.set('lesson:join', () => new Refusal('password_wrong'))
    await room.join('no')
    expect(room.view.value).toMatchObject({ stage: 'held', refusal: { code: 'password_wrong', data: { device: 'desktop' } } })
    line.answers.set('lesson:join', () => JOINED)
    await room.join('yes')
    expect(room.view.value.stage).toBe('in')
  })
  it('whose place was taken stops at once and forgets how to come back', async () => {
    line.open()
    await settle()
    line.says('lease:lost', { lesson_id: 'l', reason: 'taken_over', device: 'phone', at: 'x' })
    expect(room.view.value.stage).toBe('taken')
    expect(line.closed).toBe(true)
    expect(memory.size).toBe(0)
  })
  it('tells its last seconds at the end of the lesson before it lets go of the line', async () => {
    line.open()
    await settle()
    now = 8_000
    line.says('lesson:phase', { ...PHASE, seq: 2, state: 'ended' })
    expect(room.view.value.stage).toBe('ended')
    expect(line.closed).toBe(false)
    await settle()
    expect(line.beats().at(-1)?.spans).toEqual([[1_000, 8_000]])
    expect(line.closed).toBe(true)
  })
  it.each([['answered', false], ['lost', true]])('tells its last seconds after a beat in flight that was %s', async (_how, lost) => {
    line.open()
    await settle()
    now = 11_000
    room.tick()
    now = 14_000
    line.says('lesson:phase', { ...PHASE, seq: 2, state: 'ended' })
    if (lost) {
      const answer = line.answers.get('beat')
      line.answers.set('beat', () => { if (answer) line.answers.set('beat', answer); return new Refusal('offline') })
    }
    await settle()
    expect(line.beats().at(-1)).toMatchObject({ mono: 14_000, spans: [[lost ? 1_000 : 11_000, 14_000]] })
    expect(line.beats()).toHaveLength(3)
    expect(line.closed).toBe(true)
  })
  it('lets go of the line when its last beat finds no answer', async () => {
    line.open()
    await settle()
    line.answers.set('beat', () => new Refusal('offline'))
    line.says('lesson:phase', { ...PHASE, seq: 2, state: 'ended' })
    await settle()
    expect(line.closed).toBe(true)
  })
  it('tells its last seconds when it leaves', async () => {
    line.open()
    await settle()
    now = 9_000
    room.leave()
    expect(line.sent.slice(-2).map(([event]) => event)).toEqual(['beat', 'lesson:leave'])
    expect(line.beats().at(-1)?.spans).toEqual([[1_000, 9_000]])
    await settle()
  })
  it('ignores an older phase than it knows', async () => {
    line.open()
    await settle()
    line.says('lesson:phase', { ...PHASE, seq: 5, state: 'break' })
    line.says('lesson:phase', { ...PHASE, seq: 4, state: 'live' })
    expect(room.view.value.phase?.state).toBe('break')
  })
  it('joins again when a beat is refused', async () => {
    line.open()
    await settle()
    line.answers.set('beat', () => new Refusal('beat_refused'))
    now = 20_000
    room.tick()
    await Promise.resolve()
    line.answers.set('beat', (beat: BeatRequest) => ({ seq: beat.seq, nonce: 'x', cells: [], credit_ms: 6 }))
    await settle()
    expect(line.sent.filter(([e]) => e === 'lesson:join').length).toBeGreaterThan(1)
  })
})

describe('the quiet line', () => {
  it.each([
    [{}, true, 'recorded'],
    [{}, false, 'hidden_now'],
    [{ acks: 0 }, true, 'connecting'],
    [{ stage: 'reconnecting' as const }, true, 'reconnecting'],
    [{ phase: { ...PHASE, state: 'break' as const } }, true, 'break'],
    [{ phase: { ...PHASE, state: 'paused' as const } }, true, 'paused'],
    [{ phase: { ...PHASE, state: 'planned' as const } }, true, 'waiting'],
    [{ phase: { ...PHASE, instructor_present: false } }, true, 'instructor_away'],
    [{ cells: [{ slot: 1, open_ms: 9_000, credit_ms: 4_000, reasons: [{ code: 'hidden' as const, ms: 5_000 }], sealed: false, corrected_ms: null, pending_ms: 0, refused: [], cut: [], grade: 0, detail: null }] }, true, 'hidden_before'],
  ])('%o, in front %s: %s', (part, visible, quiet) => {
    expect(quietOf({ ...room.view.value, stage: 'in', phase: PHASE, acks: 1, ...part }, visible)).toBe(quiet)
  })
})

describe('a challenge', () => {
  const said = { lesson_id: 'l', state: 'asked' as const, number: 2, prompt: { text: '请输入 1234', choices: [] }, left_ms: 60_000, reason: null }

  it('is answered under the lease, and its answer says how the trainee stands', async () => {
    await room.join()
    await settle()
    line.says('challenge:state', said)
    expect(quietOf(room.view.value, true)).toBe('challenge')
    expect(room.view.value.challenge?.until).toBe(61_000)
    line.answers.set('challenge:answer', () => ({ ...said, state: 'clear', prompt: null, left_ms: 0 }))
    await room.answer('1234')
    expect(line.sent.at(-1)).toEqual(['challenge:answer', { lesson_id: 'l', epoch: 1, number: 2, answer: '1234' }])
    expect(quietOf(room.view.value, true)).toBe('recorded')
  })

  it('that was missed is told until the trainee is verified again', async () => {
    await room.join()
    await settle()
    line.says('challenge:state', { ...said, state: 'blocked', prompt: null, left_ms: 0, reason: 'challenge_missed' })
    expect(quietOf(room.view.value, false)).toBe('blocked')
    line.answers.set('challenge:verify', () => new Refusal('challenge_too_soon', { retry_after_s: 5 }))
    await room.verify()
    expect(room.view.value.challengeRefusal?.code).toBe('challenge_too_soon')
    line.answers.set('challenge:verify', () => ({ ...said, number: 3 }))
    await room.verify()
    expect(room.view.value.challenge?.number).toBe(3)
    expect(room.view.value.challengeRefusal).toBeNull()
  })

  it('shows at once what an outcome made of the minutes', async () => {
    const cell = (credit_ms: number, pending_ms: number): Cell => ({ slot: 1, open_ms: 60_000, credit_ms, reasons: [], sealed: false, corrected_ms: null, pending_ms, refused: [], cut: [], grade: 0, detail: null })
    await room.join()
    await settle()
    line.says('challenge:state', { ...said, state: 'clear', number: 0, prompt: null })
    await settle()
    line.answers.set('beat', (beat: BeatRequest) => ({ seq: beat.seq, nonce: `n${beat.seq}`, cells: [cell(20_000, 0)], credit_ms: 20_000 }))
    now += 10_000
    room.tick()
    await settle()
    expect(room.view.value.cells.map((one) => one.pending_ms)).toEqual([20_000])
    judged = [cell(20_000, 0)]
    line.says('challenge:state', said)
    await settle()
    expect(room.view.value.cells.map((one) => one.pending_ms)).toEqual([20_000])
    line.says('challenge:state', { ...said, state: 'clear', prompt: null })
    await settle()
    expect(room.view.value.cells.map((one) => one.pending_ms)).toEqual([0])
    line.answers.set('beat', (beat: BeatRequest) => ({ seq: beat.seq, nonce: `n${beat.seq}`, cells: [cell(30_000, 0)], credit_ms: 30_000 }))
    now += 10_000
    room.tick()
    await settle()
    expect(room.view.value.cells.map((one) => one.pending_ms)).toEqual([10_000])
  })

  it('of another lesson is none of ours, and a reconnect forgets none', async () => {
    await room.join()
    await settle()
    line.says('challenge:state', { ...said, lesson_id: 'other' })
    expect(room.view.value.challenge).toBeNull()
    line.says('challenge:state', said)
    line.cut()
    await room.join()
    await settle()
    expect(room.view.value.challenge?.number).toBe(2)
  })
})
