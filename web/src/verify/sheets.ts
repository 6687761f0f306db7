/** Decides whether the 学时台账 in a package says what the evidence proves; the same as server/verify/sheets.py. */
import type { Report } from './check'
import type { Finding } from './findings'
import { divided, MINUTE_MS } from './hours'
import { amount, of, sumOf } from './sums'

/** Of one row: seat, lesson number (null: the sum of all), credited, corrected and confirmed whole seconds (null: the lesson has not begun), who. */
export interface SheetRow { seat: number; lesson: number | null; seconds: number | null; corrected: number | null; confirmed: number | null; name: string; idNumber: string; hours: Hours }
/** Of a sum: class hours of what was recorded, the minutes left over of it, class hours of what counts. */
export type Hours = readonly (number | null)[]

const SEAT = 0
const NAME = 4
const ID_NUMBER = 5
const LESSON = 6
const SECONDS = 14
const CORRECTED = 15
const CONFIRMED = 16
/** The seat of a row that has none: what it says is a time of nobody. */
const NOBODY = -1
/** What stands before a text that an office program would take for a formula. */
const GUARD = /^'(?=[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20])/
const NUMBER = /^-?\d{1,9}$/

/** The rows of a .csv. */
export function csvRows(text: string): SheetRow[] {
  return csvLines(text).flatMap((cells) => {
    const seat = number(cells, SEAT) ?? NOBODY
    if (cells.length <= CONFIRMED) return []
    const [lesson, seconds, corrected, confirmed] = [LESSON, SECONDS, CORRECTED, CONFIRMED].map((at) => number(cells, at)) as [number | null, number | null, number | null, number | null]
    if (seat === NOBODY && [seconds, corrected, confirmed].every((one) => one === null)) return []
    const [name = '', idNumber = ''] = [NAME, ID_NUMBER].map((at) => (cells[at] ?? '').replace(GUARD, ''))
    return [{ seat, lesson, seconds, corrected, confirmed, name, idNumber, hours: lesson === null ? hoursOf(figures(cells)) : [] }]
  })
}

/** The cells of a line as numbers; its last one is not empty. */
const figures = (cells: readonly string[]): Hours => {
  const until = cells.reduce((last, cell, at) => (cell ? at + 1 : last), 0)
  return cells.slice(0, until).map((_, at) => number(cells, at))
}

/** The three of a row's cells that stand before its state and scheme. */
const hoursOf = (cells: Hours): Hours => [-5, -4, -3].map((at) => cells.at(at) ?? null)

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

/** The rows of a sheet of an .xlsx: numbers in the columns A, G, O, P and Q, texts in E and F; `shared` are its book's texts. */
export function sheetRows(xml: string, shared: readonly string[]): SheetRow[] {
  const rows = new Map<string, Record<string, number>>()
  const cell = /<c r="(A|G|O|P|Q)(\d{1,7})"(?![^<>]{0,200}\bt=")[^<>]{0,200}>(?:<f[^<]*<\/f>)?<v>(-?\d{1,9})(?:\.0*)?<\/v>/g
  for (const [, column = '', row = '', value = ''] of xml.matchAll(cell)) rows.set(row, { ...rows.get(row), [column]: Number(value) })
  const texts = textsOf(xml, shared)
  const sums = sumsOf(xml, new Set([...rows].filter(([, cells]) => cells['G'] === undefined).map(([row]) => row)))
  return [...rows].flatMap(([row, cells]) => rowOf(cells, (column) => texts.get(`${column}${row}`) ?? '', sums.get(row) ?? []))
}

/** The hours of these rows. */
function sumsOf(xml: string, rows: ReadonlySet<string>): Map<string, Hours> {
  const found = new Map<string, Hours>()
  for (const part of xml.split('<row ').slice(1)) {
    const row = /^[^>]*\br="(\d+)"/.exec(part)?.[1] ?? ''
    if (!rows.has(row)) continue
    found.set(row, hoursOf(placed(part)))
  }
  return found
}

/** A cell with something in it, of whatever column, and the number where it is one. */
const ANY = /<c r="([A-Z]{1,3})\d{1,7}"([^<>]{0,200})>(?:<f[^<]*<\/f>)?<(?:v>(?:(-?\d{1,9})(?:\.0*)?<)?|is>)/g

/** The cells of a row that hold anything, at their places. */
function placed(row: string): (number | null)[] {
  const cells: (number | null)[] = []
  for (const [, column = '', how = '', value] of row.matchAll(ANY)) cells[place(column)] = value === undefined || how.includes('t=') ? null : Number(value)
  return cells
}

/** A is 0, Z is 25, AA is 26. */
const place = (column: string): number => Array.from(column).reduce((at, letter) => at * 26 + letter.charCodeAt(0) - 64, 0) - 1

function textsOf(xml: string, shared: readonly string[]): Map<string, string | undefined> {
  const text = /<c r="((?:E|F)\d{1,7})"[^<>]{0,200}\bt="(?:s"[^<>]{0,200}>\s*<v>(\d{1,9})<\/v>|inlineStr"[^<>]{0,200}>\s*<is>([^<]*(?:<(?!\/?is>)[^<]*)*)<\/is>)/g
  return new Map([...xml.matchAll(text)].map(([, place = '', at, inline = '']) => [place, at ? shared[Number(at)] : plain(inline)]))
}

function rowOf(cells: Record<string, number>, text: (column: string) => string, hours: Hours): SheetRow[] {
  const at = (column: string): number | null => cells[column] ?? null
  if (['A', 'O', 'P', 'Q'].every((column) => at(column) === null)) return []
  return [{ seat: at('A') ?? NOBODY, lesson: at('G'), seconds: at('O'), corrected: at('P'), confirmed: at('Q'), name: text('E'), idNumber: text('F'), hours }]
}

/** The texts that the sheets of a book share. */
export const sharedTexts = (xml: string): string[] => [...xml.matchAll(/<si\s*\/>|<si>([^<]*(?:<(?!\/?si>)[^<]*)*)<\/si>/g)].map(([, inside = '']) => plain(inside))

const NAMED: Record<string, string> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' }

/** The text of a cell, however it is set; how it is pronounced is none of it. */
function plain(xml: string): string {
  const parts = [...xml.replace(/<rPh\b[^<]*(?:<(?!\/?rPh\b)[^<]*)*<\/rPh>/g, '').matchAll(/<t(?:\s[^<>]*)?>([^<]*)<\/t>/g)].map(([, part = '']) => part)
  return parts.join('').replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (whole, decimal?: string, hex?: string, name = '') =>
    decimal ? String.fromCodePoint(Number(decimal)) : hex ? String.fromCodePoint(parseInt(hex, 16)) : (NAMED[name as string] ?? whole))
}

/** Rows that say something else than the evidence, that say it twice, or a time without any; and what they leave out. */
export function differences(rows: readonly SheetRow[], report: Report): Finding[] {
  const left = new Set([...report.credit, ...report.corrected].filter(([pair, ms]) => !pair.includes('-1') && Math.abs(ms) >= 1000).map(([pair]) => pair))
  for (const row of rows) if (row.lesson !== null) left.delete(`${row.lesson} ${row.seat}`)
  const missing = [...left].map((pair) => pair.split(' ').map(Number) as [number, number])
  return [...wrongRows(rows, report), ...missing].map(([lesson, seat]): Finding => ({ slot: -1, lesson, seat, code: 'sheet_differs' }))
}

/** Lesson and seat of the rows that are wrong. A sum is of all rows of its seat, unless one of them is of a lesson without evidence. */
function wrongRows(rows: readonly SheetRow[], report: Report): [number, number][] {
  const [single, lessons, unproven] = [new Set<string>(), new Map<number, number[]>(), new Set<number>()]
  const once = (row: SheetRow): boolean => single.size < single.add(`${row.lesson} ${row.seat}`).size
  const wrong = rows.filter((row) => row.lesson !== null).filter((row) => {
    const lesson = row.lesson ?? -1
    const [known, isNew] = [report.lessons.has(lesson), once(row)]
    if (isNew) of(lessons, row.seat, () => []).push(lesson)
    if (known) return !isNew || !says(row, [lesson], report)
    if (!saysNothing(row)) unproven.add(row.seat)
    return !isNew || !saysNothing(row)
  })
  const isWrong = (row: SheetRow): boolean => !unproven.has(row.seat) && !says(row, lessons.get(row.seat) ?? [], report)
  const sums = rows.filter((row) => row.lesson === null).filter((row) => !once(row) || isWrong(row))
  return [...wrong, ...sums].map((row) => [row.lesson ?? -1, row.seat])
}

const saysNothing = (row: SheetRow): boolean => [row.seconds, row.corrected, row.confirmed].every((said) => !said)

/** Whether a row says what is proven of these lessons, in whole seconds: a correction towards nothing, the others down. */
function says(row: SheetRow, lessons: readonly number[], report: Report): boolean {
  const pairs = lessons.map((lesson) => `${lesson} ${row.seat}`)
  const [credit, change, left] = [sumOf(pairs.map((pair) => amount(report.credit, pair))), sumOf(pairs.map((pair) => amount(report.corrected, pair))), sumOf(pairs.map((pair) => (report.left.get(pair)?.ms ?? 0) + amount(report.cut, pair)))]
  const counts = credit - left + change
  const proven = [Math.floor(credit / 1000), Math.trunc(change / 1000), Math.floor(counts / 1000)]
  return saysHours(row, report, credit, counts) && [row.seconds, row.corrected, row.confirmed].every((said, at) => (said ?? 0) === proven[at])
}

/** Whether a sum says the class hours of so much recorded and counted time, as far as the scheme is known. */
function saysHours(row: SheetRow, { rules }: Report, creditMs: number, countsMs: number): boolean {
  if (!rules || row.lesson !== null) return true
  const { classHours, remainderMs } = divided(rules, creditMs)
  const proven = [classHours, Math.floor(remainderMs / MINUTE_MS), divided(rules, Math.max(0, countsMs)).classHours]
  return proven.every((said, at) => said === row.hours[at])
}
