/**
 * What people do in a lesson, as a page knows it: one view of each thing, by activity. Pushes keep it up; what was
 * missed is asked for. The newest view of a thing wins, so nothing counts twice and late joiners need no other way.
 */
import { Store } from '../ui/store'
import type { Line } from '../wire/socket'
import type { Acts, Changes, Commands, Done, MediaAccess, Mine, News } from '../wire/types'

export type Views = { readonly [A in keyof Changes]: ReadonlyMap<string, Changes[A][number]> }
/** Commands that are acts of a lesson. */
export type ActEvent = { [E in keyof Commands]: Commands[E]['response'] extends Done ? E : never }[keyof Commands]

export interface TalkView {
  /** The newest act that is known; 0: nothing yet. */
  seq: number
  views: Views
  mine: Mine
  /** Ledger time less the page's own monotonic clock, in ms; null until it was told. */
  ledger: number | null
}

const NOTHING: Views = { order: new Map(), questions: new Map(), chat: new Map(), polls: new Map(), sign_ins: new Map(), board: new Map(), stage: new Map(), spoke: new Map() }
const NOBODY: Mine = { order: null, questions: null, polls: [], sign_ins: [], board: null, stage: null }
export const START: TalkView = { seq: 0, views: NOTHING, mine: NOBODY, ledger: null }

/** Views with those that changed in place of the old ones; what is new comes last. */
export function merge(views: Views, changes: Changes): Views {
  const merged: Record<string, ReadonlyMap<string, { id: string }>> = { ...views }
  for (const [activity, changed] of Object.entries(changes) as [keyof Changes, { id: string }[]][]) {
    if (changed.length === 0) continue
    const all = new Map(merged[activity])
    for (const view of changed) all.set(view.id, view)
    merged[activity] = all
  }
  return merged as unknown as Views
}

export class Talk {
  readonly view = new Store<TalkView>(START)
  readonly #line: Line
  readonly lesson: string
  readonly #mono: () => number
  #asking = false
  #again = false

  constructor(line: Line, lesson: string, mono = () => performance.now()) {
    this.#line = line
    this.lesson = lesson
    this.#mono = mono
    line.on('lesson:acts', (news) => { if (news.lesson_id === lesson) this.#hear(news) })
    line.on('lesson:own', (own) => { if (own.lesson_id === lesson) this.view.patch({ mine: own.mine }) })
    line.on('lesson:missed', () => { void this.catchUp() })
  }

  /** After each join, and when something was missed: asks for what is not known yet. */
  async catchUp(): Promise<void> {
    if (this.#asking) {
      this.#again = true
      return
    }
    this.#asking = true
    try {
      do this.#take(await this.#line.request('lesson:since', { lesson_id: this.lesson, seq: this.view.value.seq }))
      while (this.#askAgain())
    } catch {
      // the line is down, or the place is lost: the next join asks again
    } finally {
      this.#asking = false
    }
  }

  /** Gives a command. Throws a Refusal. */
  async do<E extends ActEvent>(event: E, request: Omit<Commands[E]['request'], 'lesson_id'>): Promise<Done> {
    const asked = { ...request, lesson_id: this.lesson } as unknown as Commands[E]['request']
    const done: Done = await this.#line.request(event, asked)
    this.view.patch({ mine: done.mine })
    return done
  }

  /** Asks for something of the lesson that is no act. Throws a Refusal. */
  async ask<E extends keyof Commands>(event: E, request: Omit<Commands[E]['request'], 'lesson_id'>): Promise<Commands[E]['response']> {
    return await this.#line.request(event, { ...request, lesson_id: this.lesson })
  }

  /** A token for the room of a guest on stage; none while the server is away or when they are down. */
  async guest(number: number): Promise<MediaAccess | null> {
    const told = await this.ask('stage:media', { number }).catch(() => null)
    return told && told.media
  }

  #askAgain(): boolean {
    const again = this.#again
    this.#again = false
    return again
  }

  #take({ seq, whole, changes, mine, now_ms }: Acts): void {
    this.#tell(now_ms)
    const known = this.view.value
    // A push may have brought newer views while the answer was under way: only what it does not cover is asked again.
    if (seq < known.seq) this.#again = true
    else this.view.patch({ seq, views: merge(whole ? NOTHING : known.views, changes), mine })
  }

  /** What was longest on its way tells a time that is past: the latest one is nearest. */
  #tell(now_ms: number): void {
    const { ledger } = this.view.value
    const told = now_ms - this.#mono()
    if (ledger === null || told > ledger) this.view.patch({ ledger: told })
  }

  #hear({ after, seq, changes, now_ms }: News): void {
    this.#tell(now_ms)
    const known = this.view.value
    if (seq <= known.seq) return
    if (after > known.seq) void this.catchUp()
    else this.view.patch({ seq, views: merge(known.views, changes) })
  }
}
