import { describe, expect, it } from 'vitest'
import type { Report } from './check'
import { csvRows, differences, sharedTexts, sheetRows, type SheetRow } from './sheets'

const SHARED = sharedTexts('<sst><si/><si><t xml:space="preserve">Wang &amp; &lt;Er&gt;</t></si><si><r><t>W</t></r><r><t>&#69;</t></r><rPh sb="0" eb="1"><t>w</t></rPh></si></sst>')
const row = { seat: 17, lesson: 3, seconds: null, corrected: null, confirmed: null, name: '', idNumber: '', hours: [] }

describe('the texts of a book that another program wrote', () => {
  it.each([
    ['<c r="E5" s="1" t="s"><v>1</v></c>', 'Wang & <Er>'],
    ['<c r="E5" t="s"><v>2</v></c>', 'WE'],
    ['<c r="E5" t="s"><v>0</v></c>', ''],
    ['<c r="E5" t="inlineStr"><is><t>Wang</t></is></c>', 'Wang'],
    ['<c r="E5" t="s"><v>99</v></c>', ''],
    ['', ''],
  ])('%s', (cell, name) => {
    expect(sheetRows(`<row r="5"><c r="A5"><v>17</v></c>${cell}<c r="G5"><v>3</v></c></row>`, SHARED)).toEqual([{ ...row, name }])
  })
})

describe('a .csv', () => {
  const line = (name: string): string => ['17', 'YS-1', 'o', 'l', name, '371', '3', ...Array<string>(7).fill(''), '60', '0', '59'].join(',')

  it('says a name that could be a formula as it is', () => {
    expect(csvRows(line("'=1+1"))).toEqual([{ ...row, seconds: 60, corrected: 0, confirmed: 59, name: '=1+1', idNumber: '371' }])
    expect(csvRows(line("'Wang"))[0]?.name).toBe("'Wang")
  })

  it('has class hours in its sum, counted from the last cell that holds anything', () => {
    const sum = `${line('Wang').replace(',3,', ',sum,')},1,14,2,confirmed,s v1`
    for (const more of ['', ',,']) expect(csvRows(sum + more)[0]?.hours).toEqual([1, 14, 2])
    expect(csvRows(sum.replace(',1,14,2,', ',1,,x,'))[0]?.hours).toEqual([1, null, null])
    const cells = '<c r="A9"><v>17</v></c><c r="X9" s="1"><v>1.0</v></c><c r="Z9"><f>1+1</f><v>2</v></c><c r="AA9" t="inlineStr"><is><t>W</t></is></c><c r="AB9" t="s"><v>0</v></c><c r="AC9" s="1"/>'
    expect(sheetRows(`<row r="9" spans="1:3">${cells}</row>`, [])[0]?.hours).toEqual([1, null, 2])
    expect(sheetRows('<row r="9"><c r="A9"><v>17</v></c></row>', [])[0]?.hours).toEqual([null, null, null])
  })

  it('may say a time of nobody, which is named', () => {
    const [nobody] = csvRows(line('Wang').replace('17', 'x'))
    expect(nobody).toMatchObject({ seat: -1, lesson: 3, confirmed: 59 })
    expect(csvRows(line('Wang').replace('17', 'x').replace('60,0,59', 's,s,s'))).toEqual([])
    expect(sheetRows('<row r="9"><c r="G9"><v>3</v></c><c r="Q9"><v>59</v></c></row>', [])).toMatchObject([{ seat: -1, lesson: 3, confirmed: 59 }])
    expect(sheetRows('<row r="9"><c r="G9"><v>3</v></c></row>', [])).toEqual([])
    const report = { credit: new Map(), corrected: new Map(), left: new Map(), cut: new Map(), rules: null, lessons: new Map([[3, new Map()]]) } as unknown as Report
    expect(differences([nobody as SheetRow], report)).toEqual([{ slot: -1, lesson: 3, seat: -1, code: 'sheet_differs' }])
  })

  it('has a sum of all lessons, which has no number', () => {
    expect(csvRows(line('Wang').replace(',3,', ',sum,'))[0]?.lesson).toBeNull()
  })
})

describe('what a sheet says', () => {
  const said = (seat: number, lesson: number | null, seconds: number | null, corrected: number | null = null, confirmed = (seconds ?? 0) + (corrected ?? 0)): SheetRow => ({ seat, lesson, seconds, corrected, confirmed, name: '', idNumber: '', hours: [] })
  const proven = (credit: Record<string, number>, corrected: Record<string, number> = {}, left: Record<string, number> = {}, lessons = [3, 4]): Report => ({
    credit: new Map(Object.entries(credit)),
    rules: null, cut: new Map(), corrected: new Map(Object.entries(corrected)),
    left: new Map(Object.entries(left).map(([pair, ms]) => [pair, { ms }])),
    lessons: new Map(lessons.map((one) => [one, {}])),
  }) as unknown as Report
  const pairs = (rows: SheetRow[], report: Report): string[] => differences(rows, report).map((one) => `${one.lesson} ${one.seat} ${one.code}`)

  it.each([
    [[said(17, 3, 60), said(18, 3, 0)], []],
    [[said(17, 3, 60), said(18, 3, null)], []],
    [[said(17, 3, 61), said(18, 3, 0)], ['3 17 sheet_differs']],
    [[said(17, 3, 60), said(18, 3, 1)], ['3 18 sheet_differs']],
    [[said(17, 3, 60), said(17, 3, 600)], ['3 17 sheet_differs']],
    [[said(18, 3, 0)], ['3 17 sheet_differs']],
    [[], ['3 17 sheet_differs']],
    [[said(17, 3, 60), said(17, 5, 6000)], ['5 17 sheet_differs']],
    [[said(17, 3, 60), said(17, 5, 0)], []],
    [[said(17, 3, 60), said(17, 3, 60, 1)], ['3 17 sheet_differs']],
  ])('of whole seconds: %#', (rows, found) => { expect(pairs(rows, proven({ '3 17': 60_999, '3 18': 999 }))).toEqual(found) })

  it.each([[0, 60, []], [10_000, 50, []], [10_000, 60, ['3 17 sheet_differs']], [10_000, 51, ['3 17 sheet_differs']]] as const)('of what counts, of which %d ms were left: %d', (left, confirmed, found) => {
    expect(pairs([said(17, 3, 60, 0, confirmed)], proven({ '3 17': 60_999 }, {}, { '3 17': left }))).toEqual(found)
  })

  it('of corrections, towards nothing, and what it leaves out of them', () => {
    expect(pairs([said(17, 3, 60, -1, 59), said(18, 3, 0, 1, 1)], proven({ '3 17': 60_999 }, { '3 17': -1_999, '3 18': 1_999 }))).toEqual([])
    expect(pairs([said(17, 3, 60, -2, 59)], proven({ '3 17': 60_999 }, { '3 17': -1_999 }))).toEqual(['3 17 sheet_differs'])
    expect(pairs([], proven({}, { '4 18': -1_000, '4 17': -999 }))).toEqual(['4 18 sheet_differs'])
  })

  it.each([[[90, -1, 89], false], [[91, -1, 89], true], [[90, 0, 89], true], [[90, -1, 90], true]] as const)('of all lessons together, once from their own sum: %j', ([seconds, corrected, confirmed], differs) => {
    const rows = [said(17, 3, 60, -1, 59), said(17, 4, 30, 0, 30), said(17, null, seconds, corrected, confirmed)]
    const [credit, change] = [{ '3 17': 60_600, '4 17': 30_300 }, { '3 17': -1_000 }]
    expect(pairs(rows, proven(credit, change))).toEqual(differs ? ['-1 17 sheet_differs'] : [])
    expect(pairs([...rows].reverse(), proven(credit, change))).toEqual(differs ? ['-1 17 sheet_differs'] : [])
    expect(pairs(rows, proven(credit, change, {}, [3])).filter((one) => one.startsWith('-1'))).toEqual([])
  })
})
