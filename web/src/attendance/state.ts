/**
 * Decides what a page says about its own visibility: spans of the page's monotonic clock in which it was in front,
 * since the last acknowledged beat. One beat is in flight at a time; a lost one is said again with a fresh clock, so a
 * late or lost beat costs nothing. Minutes are counted by the server alone; no wall clock is read here.
 */
import type { BeatAnswer, BeatRequest, Cell, Lease } from '../wire/types'
import { Attention, type Notice } from './attention'
import { Track } from './track'

/** A beat is due this long after the last one was sent; sooner when something changes. */
export const BEAT_EVERY_MS = 10_000

export class BeatQueue {
  readonly #lesson: string
  readonly #front: Track
  readonly #attention: Attention
  #lease: Lease
  /** The sequence number not yet acknowledged and the clock of its first sending. */
  #open: { seq: number; first: number } | null = null
  #inFlight = false
  #sentAt = Number.NEGATIVE_INFINITY

  constructor(lesson: string, lease: Lease, visible: boolean, mono: number, moved = mono) {
    this.#lesson = lesson
    this.#lease = lease
    this.#front = new Track(visible, mono)
    this.#attention = new Attention(lease.attention, mono, moved)
  }

  get inFlight(): boolean {
    return this.#inFlight
  }

  /** Notes that the page came to the front or left it. Answers whether that was a change. */
  visibility(visible: boolean, mono: number): boolean {
    return this.#front.turn(visible, mono)
  }

  /** Notes whether the window has the focus, and a sign of a person. Answers whether that is to be told at once. */
  attend(focused: boolean, moved: boolean, mono: number): boolean {
    return this.#attention.look(focused, moved, mono)
  }

  notice(mono: number): Notice {
    return this.#attention.notice(mono)
  }

  due(mono: number): boolean {
    return !this.#inFlight && mono - this.#sentAt >= BEAT_EVERY_MS
  }

  /** The next beat, or null while one is in flight. */
  take(mono: number): BeatRequest | null {
    if (this.#inFlight) return null
    this.#open ??= { seq: this.#lease.seq + 1, first: mono }
    this.#inFlight = true
    this.#sentAt = mono
    const { epoch, nonce } = this.#lease
    const spans = this.#front.until(mono)
    return { lesson_id: this.#lesson, epoch, seq: this.#open.seq, nonce, mono, spans, signature: null, attention: this.#attention.said(mono) }
  }

  acknowledged(ack: Pick<BeatAnswer, 'seq' | 'nonce'>): void {
    this.#inFlight = false
    this.#lease = { ...this.#lease, seq: ack.seq, nonce: ack.nonce }
    if (this.#open && this.#open.seq <= ack.seq) this.#forgetOpen()
  }

  /** No answer came: everything is kept and said again. */
  lost(): void {
    this.#inFlight = false
  }

  /** The same page is back on the line: the server's lease says how far it had heard us. */
  resumed(lease: Lease): void {
    this.#inFlight = false
    this.#sentAt = Number.NEGATIVE_INFINITY
    if (this.#open && this.#open.seq <= lease.seq) this.#forgetOpen()
    this.#open = null
    this.#lease = lease
  }

  /**
   * Drops what the acknowledged beat told, up to the clock of its FIRST sending: the server may have counted that one
   * and only its answer was lost. Telling a stretch twice is harmless, leaving one out would cost the trainee.
   */
  #forgetOpen(): void {
    const told = this.#open?.first ?? 0
    this.#open = null
    this.#front.forget(told)
    this.#attention.forget(told)
  }
}

/** Cells by minute, newer knowledge over older, in order of time. */
export function mergeCells(known: readonly Cell[], fresh: readonly Cell[]): Cell[] {
  const bySlot = new Map(known.map((cell) => [cell.slot, cell]))
  for (const cell of fresh) bySlot.set(cell.slot, cell)
  return [...bySlot.values()].sort((a, b) => a.slot - b.slot)
}

export interface Tally { open_ms: number; credit_ms: number; missing_ms: number; sealed: boolean }

export function tally(cells: readonly Cell[]): Tally {
  const sum: Tally = { open_ms: 0, credit_ms: 0, missing_ms: 0, sealed: true }
  for (const cell of cells) {
    sum.open_ms += cell.open_ms
    sum.credit_ms += cell.credit_ms
    sum.sealed = sum.sealed && cell.sealed
  }
  sum.missing_ms = sum.open_ms - sum.credit_ms
  return sum
}
