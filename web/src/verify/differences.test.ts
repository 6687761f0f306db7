import { describe, expect, it } from 'vitest'
import type { Report } from './check'
import { differences, type SheetRow } from './sheets'

const report = { credit: new Map([['3 17', 60_000]]), corrected: new Map(), left: new Map(), cut: new Map(), rules: null, lessons: new Map([[3, new Map()]]) } as unknown as Report
const row = (lesson: number | null, seconds: number | null): SheetRow => ({ seat: 17, lesson, seconds, corrected: null, confirmed: seconds, name: '', idNumber: '', hours: [] })
const wrong = (...rows: SheetRow[]): number[] => differences(rows, report).map((one) => one.lesson)

describe('a sheet', () => {
  it('says each thing once, and no time of a lesson without evidence', () => {
    expect(wrong(row(3, 60), row(null, 60))).toEqual([])
    expect(wrong(row(3, 60), row(9, null), row(null, 60))).toEqual([])
    expect(wrong(row(3, 60), row(3, 60), row(null, 120))).toEqual([3, -1])
    expect(wrong(row(3, 60), row(null, 60), row(null, 60))).toEqual([-1])
    expect(wrong(row(3, 60), row(9, 6000), row(null, 6060))).toEqual([9])
    expect(wrong(row(3, 60), row(9, null), row(null, 6060))).toEqual([-1])
    expect(wrong()).toEqual([3])
  })
})
