/** Takes apart what a person drops: packages, keys, evidence cards. */
import { strFromU8, unzipSync } from 'fflate'
import { FORMAT as ACK } from './acks'
import { FORMAT } from './receipts'
import { IDENTITIES, readSalts, type Salts } from './seats'
import { csvRows, sharedTexts, sheetRows, type SheetRow } from './sheets'
import { Refused } from './tree'

export const EVIDENCE = 'evidence.json'
/** A file of a package as its name says, and what is in it. */
export interface Dropped { evidence: string | null; sheets: SheetRow[][]; salts: Salts; keys: string[]; cards: string[]; receipts: string[] }

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
  else if (text.startsWith(IDENTITIES)) into.salts = readSalts(text)
  else into.evidence = text
}

function bookRows(raw: Uint8Array): SheetRow[] {
  const inside = unzipped(raw)
  const texts = sharedTexts(inside['xl/sharedStrings.xml'] ? strFromU8(inside['xl/sharedStrings.xml']) : '')
  return Object.entries(inside).filter(([name]) => name.startsWith('xl/worksheets/')).flatMap(([, content]) => sheetRows(strFromU8(content), texts))
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
  const found: Dropped = { evidence: null, sheets: [], salts: new Map(), keys: [], cards: [], receipts: [] }
  for (const file of files) inside(file.name.toLowerCase(), new Uint8Array(await file.arrayBuffer()), found)
  return found
}
