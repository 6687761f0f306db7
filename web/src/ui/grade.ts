/** Decides how a checker is told what media delivered of minutes that count: beside the minutes, never part of them. */
import type { Cell } from '../wire/types'
import { t } from './catalogue'

const WORDS = ['grade.none', 'grade.some', 'grade.half', 'grade.most'] as const
/** From here on more than half of a minute was delivered. */
const HALF = 2

const earned = (cell: Cell): boolean => cell.sealed && cell.credit_ms > 0

/** "媒体：送达过半", of a sealed minute that somebody was in front in. */
export function gradeWords(cell: Cell | undefined): string {
  return cell && earned(cell) ? t(WORDS[cell.grade] ?? WORDS[0]) : ''
}

/** The same of many minutes; nothing where none counts. */
export function gradesWords(cells: readonly Cell[]): string {
  const counted = cells.filter(earned)
  return counted.length ? t('grade.sum', { seen: counted.filter((one) => one.grade >= HALF).length, count: counted.length }) : ''
}
