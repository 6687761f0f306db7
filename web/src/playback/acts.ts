/**
 * What people did in a recorded lesson, as it was at the moment that is played: onwards by what changed, back from a state that was kept.
 * It comes page by page, and goes on coming while the lesson goes on.
 */
import { START, merge, type Views } from '../live/talk'
import { Store } from '../ui/store'
import type { Changes, ReplayActs, ReplayMoment } from '../wire/types'

interface Moment { atMs: number; seq: number; changes: Changes }
/** A state, and how many moments made it. */
interface Kept { count: number; views: Views }

/** A state is kept every so many moments, so that a jump back need not begin at the beginning. */
const KEEP = 200
const AGAIN_MS = 5_000
/** What happened within so long comes as one moment, dated by the last of it: so much ahead nothing comes late, nor is missed by a jump to it. */
const TOGETHER_MS = 250

/** The changes of many moments as those of one: the newest view of each thing. */
function together(moments: readonly Moment[]): Changes {
  const found: Record<string, Map<string, { id: string }>> = {}
  for (const { changes } of moments)
    for (const [activity, views] of Object.entries(changes) as [string, { id: string }[]][])
      for (const view of views) (found[activity] ??= new Map()).set(view.id, view)
  return Object.fromEntries(Object.entries(found).map(([activity, views]) => [activity, [...views.values()]])) as unknown as Changes
}

/** Whether there is a board. */
export function hasBoard({ board }: Views): boolean {
  const shown = board.get('shown')
  return shown?.what === 'shown' && shown.page > 0
}

/** The past of a lesson; moments are added in order. */
export class Past {
  readonly #moments: Moment[] = []
  readonly #kept: Kept[] = [{ count: 0, views: START.views }]
  #now: Kept = { count: 0, views: START.views }

  /** The newest act that is known. */
  get seq(): number {
    return this.#moments.at(-1)?.seq ?? 0
  }

  add(moments: readonly ReplayMoment[]): void {
    for (const { at, seq, changes } of moments)
      if (seq > this.seq) this.#moments.push({ atMs: Date.parse(at), seq, changes })
  }

  /** The moment from which on more is to be seen than at this one; null: nothing comes. */
  after(ms: number): number | null {
    return this.#moments[this.#until(ms + TOGETHER_MS)]?.atMs ?? null
  }

  /** The last moment at which less was to be seen; null: that is before everything. */
  before(ms: number): number | null {
    const count = this.#until(ms + TOGETHER_MS)
    for (let index = count - 2; index >= 0; index -= 1) {
      const { atMs } = this.#moments[index] as Moment
      if (this.#until(atMs + TOGETHER_MS) < count) return atMs
    }
    return null
  }

  /** When the last thing happened, in milliseconds since 1970; null: nothing did. */
  get last(): number | null {
    return this.#moments.at(-1)?.atMs ?? null
  }

  /** Everything as it was at a moment (milliseconds since 1970); the same object while nothing changes. */
  at(ms: number): Views {
    const count = this.#until(ms)
    if (count < this.#now.count) this.#now = this.#before(count)
    while (this.#now.count < count) {
      const next = Math.min(count, (Math.floor(this.#now.count / KEEP) + 1) * KEEP)
      this.#now = { count: next, views: merge(this.#now.views, together(this.#moments.slice(this.#now.count, next))) }
      if (next % KEEP === 0 && this.#kept.length === next / KEEP) this.#kept.push(this.#now)
    }
    return this.#now.views
  }

  /** Everything as it was in the end. */
  end(): Views {
    return this.at(Number.POSITIVE_INFINITY)
  }

  /** How many moments there were by then. */
  #until(ms: number): number {
    let [low, high] = [0, this.#moments.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#moments[middle] as Moment).atMs <= ms) low = middle + 1
      else high = middle
    }
    return low
  }

  #before(count: number): Kept {
    return this.#kept[Math.min(Math.floor(count / KEEP), this.#kept.length - 1)] as Kept
  }
}

/** Fetches a lesson's past and says what of it is shown. */
export class Acts {
  readonly views = new Store<Views>(START.views)
  /** How many acts are known; whoever lists all of them looks again when it changes. */
  readonly known = new Store(0)
  readonly past = new Past()
  readonly #ask: (after: number) => Promise<ReplayActs>
  #atMs = 0
  #again: ReturnType<typeof setTimeout> | undefined
  #stopped = false

  constructor(ask: (after: number) => Promise<ReplayActs>) {
    this.#ask = ask
  }

  /** Until everything is there; `over`: nothing will be added. What cannot be fetched now is tried again. */
  async load(over: boolean): Promise<void> {
    let more = true
    try {
      while (more && !this.#stopped) {
        const found = await this.#ask(this.past.seq)
        this.past.add(found.moments)
        this.known.set(this.past.seq)
        this.show(this.#atMs)
        more = found.more && found.moments.length > 0
      }
    } catch {
      more = true // the line is down: the pictures tell it, and this comes after them
    }
    if ((more || !over) && !this.#stopped) this.#again = setTimeout(() => { void this.load(over) }, AGAIN_MS)
  }

  /** What is played is at this moment (milliseconds since 1970). */
  show(ms: number): void {
    this.#atMs = ms
    const views = this.past.at(ms + TOGETHER_MS)
    if (views !== this.views.value) this.views.set(views)
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#again)
  }
}
