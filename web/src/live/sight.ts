/**
 * The minutes of those whose strips are in sight: asked for when somebody comes into sight and every few seconds while
 * they stay, only from the first minute on that may still change. Of those long out of sight nothing is kept.
 */
import { mergeCells } from '../attendance/state'
import { Store } from '../ui/store'
import type { Cell, LiveStrips } from '../wire/types'

/** The server answers for so many at once. */
export const MOST_ASKED = 60
/** Cells of so many people are kept. */
const MOST_KEPT = 240
/** A list that still moves is not asked for. */
const REST_MS = 150
const AGAIN_MS = 5_000

export interface SightView {
  /** The lesson's first and newest minute; null until they are known. */
  first: number | null
  last: number | null
  cells: ReadonlyMap<string, readonly Cell[]>
}

type Ask = (people: string[], since: number) => Promise<LiveStrips>

export class Sight {
  readonly view = new Store<SightView>({ first: null, last: null, cells: new Map() })
  readonly #ask: Ask
  /** How many of the newest are shown. */
  readonly minutes: number
  readonly #timer: ReturnType<typeof setInterval>
  #seen: readonly string[] = []
  #resting: ReturnType<typeof setTimeout> | undefined
  #asking = false
  #wanted = false

  constructor(ask: Ask, minutes: number) {
    this.#ask = ask
    this.minutes = minutes
    this.#timer = setInterval(() => { void this.look() }, AGAIN_MS)
  }

  /** These are in sight now. */
  see(people: readonly string[]): void {
    this.#seen = people.slice(0, MOST_ASKED)
    clearTimeout(this.#resting)
    if (this.#seen.some((one) => !this.view.value.cells.has(one))) this.#resting = setTimeout(() => { void this.look() }, REST_MS)
  }

  /** Ask for what is not known of those in sight. */
  async look(): Promise<void> {
    if (this.#asking) {
      this.#wanted = true
      return
    }
    this.#asking = true
    const known = this.view.value.cells
    const fresh = this.#seen.filter((one) => !known.has(one))
    const old = this.#seen.filter((one) => known.has(one))
    await this.#fetch(fresh, this.#floor())
    await this.#fetch(old, Math.min(...old.map((one) => this.#open(known.get(one) ?? []))))
    this.#asking = false
    if (this.#wanted) {
      this.#wanted = false
      await this.look()
    }
  }

  close(): void {
    clearInterval(this.#timer)
    clearTimeout(this.#resting)
  }

  /** The first minute that is shown. */
  #floor(): number {
    const { first, last } = this.view.value
    const newest = last ?? Math.floor(Date.now() / 60_000)
    return Math.max(0, first ?? 0, newest - this.minutes + 1)
  }

  /** The first minute of these that may still change. */
  #open(cells: readonly Cell[]): number {
    return cells.find((cell) => !cell.sealed)?.slot ?? (cells.at(-1)?.slot ?? this.#floor() - 1) + 1
  }

  async #fetch(people: string[], since: number): Promise<void> {
    if (!people.length) return
    // Refused or cut off: the next look comes in a few seconds.
    const told = await this.#ask(people, since).catch(() => null)
    if (!told) return
    this.#keep(told)
  }

  #keep(told: LiveStrips): void {
    const cells = new Map(this.view.value.cells)
    const floor = Math.max(told.first_slot ?? 0, told.last_slot - this.minutes + 1)
    for (const row of told.rows) {
      const merged = mergeCells(cells.get(row.person_id) ?? [], row.cells).filter((cell) => cell.slot >= floor)
      cells.delete(row.person_id) // the newest stand last
      cells.set(row.person_id, merged)
    }
    for (const one of cells.keys()) {
      if (cells.size <= MOST_KEPT) break
      if (!this.#seen.includes(one)) cells.delete(one)
    }
    this.view.set({ first: told.first_slot, last: told.last_slot, cells })
  }
}
