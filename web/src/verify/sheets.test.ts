import { describe, expect, it } from 'vitest'
import { csvRows, sharedTexts, sheetRows } from './sheets'

const SHARED = sharedTexts('<sst><si/><si><t xml:space="preserve">Wang &amp; &lt;Er&gt;</t></si><si><r><t>W</t></r><r><t>&#69;</t></r><rPh sb="0" eb="1"><t>w</t></rPh></si></sst>')
const row = { seat: 17, lesson: 3, seconds: null, corrected: null, confirmed: null, name: '', idNumber: '' }

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

  it('has a sum of all lessons, which has no number', () => {
    expect(csvRows(line('Wang').replace(',3,', ',sum,'))[0]?.lesson).toBeNull()
  })
})
