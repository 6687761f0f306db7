/** Takes apart what a person drops: packages, keys, evidence cards. A package brings no keys: whoever made it made those too. */
import { unzipSync } from 'fflate'
import { FORMAT as ACK } from './acks'
import { FORMAT } from './receipts'
import { IDENTITIES, readSalts, type Salts } from './seats'
import { csvRows, sharedTexts, sheetRows, type SheetRow } from './sheets'
import { Refused } from './tree'

export const EVIDENCE = 'evidence.json'
const SALTS = 'identities.json'
const SHARED = 'xl/sharedStrings.xml'
/** A file of a package as its name says, and what is in it. */
export interface Dropped { evidence: string | null; sheets: SheetRow[][]; salts: Salts; keys: string[]; cards: string[]; receipts: string[] }

const SHEET = /\.(?:csv|xlsx)$/
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function textOf(raw: Uint8Array): string {
  try {
    return utf8.decode(raw)
  } catch {
    throw new Refused('not a text')
  }
}

/** A file that a person dropped: this person says that it is a package, or a file of keys. */
function dropped(name: string, raw: Uint8Array, into: Dropped): void {
  if (name.endsWith('.zip')) unpack(unzipped(raw), into)
  else if (SHEET.test(name)) sheet(name, raw, into)
  else if (name.endsWith('.txt')) plain(textOf(raw), into)
  else if (name.endsWith('.json')) json(textOf(raw), into)
}

/** What `keshi verify` reads of a package, and nothing else. */
function unpack(members: Record<string, Uint8Array>, into: Dropped): void {
  if (members[EVIDENCE]) into.evidence = textOf(members[EVIDENCE])
  if (members[SALTS]) into.salts = readSalts(textOf(members[SALTS]))
  for (const [name, content] of Object.entries(members)) if (SHEET.test(name.toLowerCase())) sheet(name.toLowerCase(), content, into)
}

function sheet(name: string, raw: Uint8Array, into: Dropped): void {
  into.sheets.push(name.endsWith('.csv') ? csvRows(textOf(raw).replace(/^\ufeff/, '')) : bookRows(raw))
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
  const texts = sharedTexts(inside[SHARED] ? textOf(inside[SHARED]) : '')
  return Object.entries(inside).filter(([name]) => name.startsWith('xl/worksheets/')).flatMap(([, content]) => sheetRows(textOf(content), texts))
}

/** What is in a .zip. Throws Refused, also where two files have one name: nobody knows which of them another program shows. */
function unzipped(raw: Uint8Array): Record<string, Uint8Array> {
  const names: string[] = []
  const found = opened(raw, names)
  if (new Set(names).size < names.length) throw new Refused('two files of one name in a .zip')
  return found
}

/** The files of a .zip; `names` gets the name of each as no office program tells it from another. */
function opened(raw: Uint8Array, names: string[]): Record<string, Uint8Array> {
  try {
    return unzipSync(raw, { filter: ({ name }) => names.push(name.toLowerCase()) > 0 })
  } catch {
    throw new Refused('not a readable .zip')
  }
}

/** Everything in these files. Throws Refused. */
export async function take(files: readonly File[]): Promise<Dropped> {
  const found: Dropped = { evidence: null, sheets: [], salts: new Map(), keys: [], cards: [], receipts: [] }
  for (const file of files) dropped(file.name.toLowerCase(), new Uint8Array(await file.arrayBuffer()), found)
  return found
}
