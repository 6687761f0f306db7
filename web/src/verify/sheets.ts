/** Decides whether the 学时台账 in a package says what the evidence proves; the same as server/verify/sheets.py. */
import type { Report } from './check'
import type { Finding } from './findings'
import { amount } from './sums'

/** Of one row: seat, lesson number, credited, corrected and confirmed whole seconds; null: the lesson has not begun. */
export interface SheetRow { seat: number; lesson: number; seconds: number | null; corrected: number | null; confirmed: number | null }

const SEAT = 0
const LESSON = 6
const SECONDS = 14
const CORRECTED = 15
const CONFIRMED = 16
const NUMBER = /^-?\d{1,9}$/

/** The rows of a .csv. */
export function csvRows(text: string): SheetRow[] {
  return csvLines(text).flatMap((cells) => {
    const [seat, lesson] = [number(cells, SEAT), number(cells, LESSON)]
    if (cells.length <= CONFIRMED || seat === null || lesson === null) return []
    return [{ seat, lesson, seconds: number(cells, SECONDS), corrected: number(cells, CORRECTED), confirmed: number(cells, CONFIRMED) }]
  })
}

function number(cells: readonly string[], at: number): number | null {
  const cell = cells[at] ?? ''
  return NUMBER.test(cell) ? Number(cell) : null
}

/** Cells by line (RFC 4180). */
function csvLines(text: string): string[][] {
  const lines: string[][] = [[]]
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g
  for (const [, quoted, plain = '', end] of text.matchAll(cell)) {
    ;(lines[lines.length - 1] as string[]).push(quoted === undefined ? plain : quoted.replaceAll('""', '"'))
    if (end === '') break
    if (end !== ',') lines.push([])
  }
  return lines
}

/** The rows of a sheet of an .xlsx: numbers in the columns A, G, O, P and Q. */
export function sheetRows(xml: string): SheetRow[] {
  const rows = new Map<string, Record<string, number>>()
  const cell = /<c r="(A|G|O|P|Q)(\d+)"(?![^>]*\bt=")[^>]*>(?:<f[^<]*<\/f>)?<v>(-?\d{1,9})(?:\.0*)?<\/v>/g
  for (const [, column = '', row = '', value = ''] of xml.matchAll(cell)) rows.set(row, { ...rows.get(row), [column]: Number(value) })
  return [...rows.values()].flatMap(({ A, G, O, P, Q }) => (A === undefined || G === undefined ? [] : [{ seat: A, lesson: G, seconds: O ?? null, corrected: P ?? null, confirmed: Q ?? null }]))
}

/** Rows that say something else than the evidence, and what they leave out; only of lessons that are in it. */
export function differences(rows: readonly SheetRow[], report: Report): Finding[] {
  const left = new Set([...report.credit, ...report.corrected].filter(([pair, ms]) => !pair.includes('-1') && Math.abs(ms) >= 1000).map(([pair]) => pair))
  const found: Finding[] = []
  for (const row of rows.filter((one) => report.lessons.has(one.lesson))) {
    if (!says(row, report)) found.push({ slot: -1, lesson: row.lesson, seat: row.seat, code: 'sheet_differs' })
    left.delete(`${row.lesson} ${row.seat}`)
  }
  for (const pair of left) {
    const [lesson = -1, seat = -1] = pair.split(' ').map(Number)
    found.push({ slot: -1, lesson, seat, code: 'sheet_differs' })
  }
  return found
}

/** Whether a row says what is proven, in whole seconds: a correction towards nothing, the others down. */
function says(row: SheetRow, report: Report): boolean {
  const pair = `${row.lesson} ${row.seat}`
  const [credit, change] = [amount(report.credit, pair), amount(report.corrected, pair)]
  const confirmed = credit - (report.left.get(pair)?.ms ?? 0) + change
  const proven = [Math.floor(credit / 1000), Math.trunc(change / 1000), Math.floor(confirmed / 1000)]
  return [row.seconds, row.corrected, row.confirmed].every((said, at) => (said ?? 0) === proven[at])
}
