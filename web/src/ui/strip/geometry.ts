/**
 * Where each minute of a strip stands and what is drawn in it. A cell is a column of 60 seconds: credited time fills it
 * from the bottom, each reason lies above with its own pattern, time that was not open stays empty. All cells of one
 * kind are one path, so a class of hundreds costs a handful of elements a row.
 */
import type { Cell } from '../../wire/types'
import { cutOf, vouchedOf } from './vouched'

/** The reasons that have a pattern of their own. */
export const REASONS = ['hidden', 'disconnected', 'other_device', 'absent', 'server_fault', 'blurred', 'idle', 'corrected', 'pending', 'challenge_missed', 'identity_failed', 'daily_cap', 'too_short'] as const

export type Kind = 'credited' | (typeof REASONS)[number] | 'gap' | 'unsealed'
/** A reason newer than this page is drawn as an absence; its words carry the code. */
export const kindOf = (code: string): Kind => REASONS.find((known) => known === code) ?? 'absent'
export const MINUTE_MS = 60_000
/** The rows of the tall form: a class hour, two thirds, one third of it. */
export const ROW_CHOICES = [45, 30, 15] as const
const EASY_CELL_PX = 18
/** However short, a reason is never too thin to see. */
const LEAST_PX = 3

export interface Box { x: number; y: number; w: number; h: number }
export interface Row { start: number; y: number }
export interface Geometry {
  first: number; last: number; perRow: number; rows: Row[]
  pitch: number; gap: number; cellHeight: number; rowHeight: number; left: number; width: number; height: number
}
export interface Form { rows: boolean; cellHeight: number }

/** Between two cells, by how wide they are. */
const GAPS = [[10, 2], [5, 1], [3, 0.5]] as const
const LABEL_PX = 46
const ROW_GAP_PX = 14
const PLAN_PX = 6

function rowLength(width: number): number {
  return ROW_CHOICES.find((n) => (width - LABEL_PX) / n >= EASY_CELL_PX) ?? 15
}

/** Long lessons keep to the quarters; a short one fits a row of its own. */
const rowStart = (first: number, end: number) => (end - first >= 15 ? first - (first % 15) : first)

export function arrange(first: number, last: number, width: number, form: Form): Geometry {
  const end = Math.max(first, last)
  const perRow = form.rows ? rowLength(width) : end - first + 1
  const left = form.rows ? LABEL_PX : 0
  const start = form.rows ? rowStart(first, end) : first
  const rowHeight = form.cellHeight + PLAN_PX + (form.rows ? ROW_GAP_PX : 0)
  const rows: Row[] = []
  for (let slot = start; slot <= end; slot += perRow) rows.push({ start: slot, y: rows.length * rowHeight })
  const pitch = Math.max(0.5, (width - left) / perRow)
  const gap = GAPS.find(([least]) => pitch >= least)?.[1] ?? 0
  return { first, last: end, perRow, rows, pitch, gap, cellHeight: form.cellHeight, rowHeight, left, width, height: rows.length * rowHeight }
}

export function boxOf(g: Geometry, slot: number): Box {
  const offset = slot - (g.rows[0]?.start ?? slot)
  const row = Math.floor(offset / g.perRow)
  return { x: g.left + (offset - row * g.perRow) * g.pitch, y: row * g.rowHeight, w: g.pitch - g.gap, h: g.cellHeight }
}

/** The minute under a point, or null beside the strip. */
export function slotAt(g: Geometry, x: number, y: number): number | null {
  const row = g.rows[Math.floor(y / g.rowHeight)]
  if (!row || x < g.left) return null
  const slot = row.start + Math.min(g.perRow - 1, Math.floor((x - g.left) / g.pitch))
  return slot >= g.first && slot <= g.last ? slot : null
}

const round = (n: number) => Math.round(n * 100) / 100
const rect = (b: Box) => `M${round(b.x)} ${round(b.y)}h${round(b.w)}v${round(b.h)}h${round(-b.w)}z`

type Paths = Partial<Record<Kind, string>>

/** What lies above the counted time: what the scheme took, then what was corrected, challenges and reasons as far as they are left. */
const partsOf = (cell: Cell): { code: string; ms: number }[] => [...cell.cut, ...uncutPartsOf(cell)]

function uncutPartsOf(cell: Cell): { code: string; ms: number }[] {
  const left = [{ code: 'pending', ms: cell.pending_ms }, ...cell.refused]
  const reasons = [...left, ...cell.reasons].filter((r) => r.code !== 'not_open' && r.ms > 0)
  if (cell.corrected_ms === null || cell.corrected_ms === vouchedOf(cell)) return reasons
  const change = cell.corrected_ms - vouchedOf(cell)
  const parts = [{ code: 'corrected', ms: Math.abs(change) }]
  let gone = Math.max(0, change)
  for (const { code, ms } of reasons) {
    const left = Math.max(0, ms - gone)
    gone = Math.max(0, gone - ms)
    if (left > 0) parts.push({ code, ms: left })
  }
  return parts
}

function drawCell(paths: Paths, cell: Cell, box: Box): void {
  const add = (kind: Kind, b: Box) => { paths[kind] = (paths[kind] ?? '') + rect(b) }
  const parts = partsOf(cell)
  let bottom = box.y + box.h
  const stack = (kind: Kind, ms: number) => {
    const wanted = Math.max(LEAST_PX, (Math.min(ms, MINUTE_MS) / MINUTE_MS) * box.h)
    const h = Math.min(wanted, bottom - box.y)
    if (h <= 0) return
    bottom -= h
    add(kind, { ...box, y: bottom, h })
  }
  // A sliver of a reason must keep its place above a nearly full minute.
  const room = box.h - parts.length * LEAST_PX
  const credited = Math.min(vouchedOf(cell), cell.corrected_ms ?? vouchedOf(cell)) - cutOf(cell)
  if (credited > 0) stack('credited', Math.min(credited, (room / box.h) * MINUTE_MS || credited))
  for (const part of parts) stack(kindOf(part.code), part.ms)
  if (bottom === box.y + box.h) add('gap', { ...box, y: box.y + box.h - 2, h: 2 })
  if (!cell.sealed && bottom < box.y + box.h) add('unsealed', { ...box, y: bottom, h: box.y + box.h - bottom })
}

/**
 * One path for each kind of time. A minute without a record between two that have one is a gap: a low mark, never
 * nothing. Before the first and after the last there is only the plan.
 */
export function draw(g: Geometry, cells: readonly Cell[]): Paths {
  const paths: Paths = {}
  const bySlot = new Map(cells.map((cell) => [cell.slot, cell]))
  const slots = [...bySlot.keys()]
  const last = Math.min(g.last, Math.max(...slots))
  for (let slot = Math.max(g.first, Math.min(...slots)); slot <= last; slot += 1) {
    const box = boxOf(g, slot)
    const cell = bySlot.get(slot)
    if (cell) drawCell(paths, cell, box)
    else paths.gap = (paths.gap ?? '') + rect({ ...box, y: box.y + box.h - 2, h: 2 })
  }
  // The veil of what is not sealed yet lies over everything else.
  const { unsealed, ...rest } = paths
  return unsealed === undefined ? rest : { ...rest, unsealed }
}

/** The planned time, a line under its minutes. */
export function drawPlan(g: Geometry, from: number, to: number): string {
  let path = ''
  for (const row of g.rows) {
    const a = Math.max(row.start, from, g.first)
    const b = Math.min(row.start + g.perRow - 1, to, g.last)
    if (a > b) continue
    const left = boxOf(g, a)
    const right = boxOf(g, b)
    path += rect({ x: left.x, y: left.y + g.cellHeight + 3, w: right.x + right.w - left.x, h: 2 })
  }
  return path
}

/** How far a page key walks. */
const PAGE = 10

/**
 * Where a key leads from the picked minute, or undefined for a key that leads nowhere. The first step forward goes to the
 * first minute; the first step back, and End, to the newest that has a record: what is planned after it lies further on.
 */
export function walk(g: Geometry, key: string, picked: number | null, newest: number): number | undefined {
  const down = g.rows.length > 1 ? g.perRow : 1
  const steps: Record<string, number> = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: down, ArrowUp: -down, PageDown: PAGE, PageUp: -PAGE }
  const step = steps[key]
  if (key === 'Home') return g.first
  if (key === 'End') return newest
  if (step === undefined) return undefined
  if (picked === null) return step > 0 ? g.first : newest
  return Math.min(g.last, Math.max(g.first, picked + step))
}

/** What mattered most in a minute: for counting, sorting and the words beside it. */
export function mainKind(cell: Cell | undefined): Kind {
  if (!cell || cell.open_ms === 0) return 'gap'
  const worst = [...cell.reasons, ...cell.refused, ...cell.cut].sort((a, b) => b.ms - a.ms)[0]
  return worst && worst.ms > vouchedOf(cell) - cutOf(cell) ? kindOf(worst.code) : 'credited'
}
