/** Takes apart what a person drops: packages, keys, evidence cards. */
import { strFromU8, unzipSync } from 'fflate'
import { FORMAT as ACK } from './acks'
import { FORMAT } from './receipts'
import { csvRows, sheetRows, type SheetRow } from './sheets'
import { Refused } from './tree'

export const EVIDENCE = 'evidence.json'
/** A file of a package as its name says, and what is in it. */
export interface Dropped { evidence: string | null; sheets: SheetRow[][]; keys: string[]; cards: string[]; receipts: string[] }

function inside(name: string, raw: Uint8Array, into: Dropped): void {
  if (name.endsWith('.zip')) for (const [member, content] of Object.entries(unzipped(raw))) inside(member, content, into)
  else if (name.endsWith('.csv')) into.sheets.push(csvRows(strFromU8(raw).replace(/^\ufeff/, '')))
  else if (name.endsWith('.xlsx')) into.sheets.push(bookRows(raw))
  else if (name.endsWith('.txt')) plain(strFromU8(raw), into)
  else if (name.endsWith('.json')) json(strFromU8(raw), into)
}

function plain(text: string, into: Dropped): void {
  if (text.startsWith(FORMAT) || text.startsWith(ACK)) into.receipts.push(text)
  else into.keys.push(text)
}

function json(text: string, into: Dropped): void {
  if (text.startsWith('{"v":"keshi-card')) into.cards.push(text)
  else into.evidence = text
}

function bookRows(raw: Uint8Array): SheetRow[] {
  const sheets = Object.entries(unzipped(raw)).filter(([name]) => name.startsWith('xl/worksheets/'))
  return sheets.flatMap(([, content]) => sheetRows(strFromU8(content)))
}

function unzipped(raw: Uint8Array): Record<string, Uint8Array> {
  try {
    return unzipSync(raw)
  } catch {
    throw new Refused('not a readable .zip')
  }
}

/** Everything in these files. Throws Refused. */
export async function take(files: readonly File[]): Promise<Dropped> {
  const found: Dropped = { evidence: null, sheets: [], keys: [], cards: [], receipts: [] }
  for (const file of files) inside(file.name.toLowerCase(), new Uint8Array(await file.arrayBuffer()), found)
  return found
}
