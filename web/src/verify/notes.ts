/** Decides which signatures on a text count: C2SP signed notes, checkpoints, cosignatures. Ed25519 is bundled. */
import { hashes, verify } from '@noble/ed25519'
import { sha256, sha512 } from '@noble/hashes/sha2.js'
import { joined, Refused, same, type Bytes } from './tree'

hashes.sha512 = sha512

export const LOG = 1
export const WITNESS = 4
/** How the name of a witness begins that the operator of the log keeps itself (非独立). */
export const DEPENDENT = 'not-independent/'
const NAME = /^[^\s+]+$/u
const DECIMAL = /^(?:0|[1-9][0-9]{0,15})$/
const TIME_BYTES = 8
const SIGNATURE_BYTES = 64

export interface Key { name: string; kind: number; raw: Bytes; id: Bytes; line: string }
export interface Signature { name: string; id: Bytes; raw: Bytes }
export interface Note { text: string; signatures: Signature[] }
export interface Checkpoint { origin: string; size: number; root: Bytes }
export interface Cosigned { key: Key; atS: number }

const utf8 = new TextEncoder()

/** Base64 in its one canonical form. Throws Refused. */
export function decode(text: string): Bytes {
  let raw: string
  try {
    raw = atob(text)
  } catch {
    throw new Refused('not base64')
  }
  if (btoa(raw) !== text) throw new Refused('not canonical base64')
  return Uint8Array.from(raw, (one) => one.charCodeAt(0))
}

export function encode(raw: Bytes): string {
  return btoa(Array.from(raw, (one) => String.fromCharCode(one)).join(''))
}

export const hex = (raw: Bytes): string => Array.from(raw, (one) => one.toString(16).padStart(2, '0')).join('')

/** A line of a keys file: name+id+key. Throws Refused. */
export function readKey(line: string): Key {
  const [name = '', id = '', ...rest] = line.split('+')
  const material = decode(rest.join('+'))
  const kind = material[0] as number
  if (!NAME.test(name) || material.length !== 33 || (kind !== LOG && kind !== WITNESS)) throw new Refused('not a key')
  const key: Key = { name, kind, raw: material.subarray(1), id: sha256(joined(utf8.encode(`${name}\n`), material)).subarray(0, 4), line }
  if (hex(key.id) !== id) throw new Refused('not a key: its id does not belong to it')
  return key
}

/** The keys of a file, one in a line; `#` begins a remark. Throws Refused. */
export function readKeys(text: string): Key[] {
  const lines = text.split(/\r?\n/).map((line) => line.trim())
  return lines.filter((line) => line && !line.startsWith('#')).map(readKey)
}

/** Take a signed note apart; nothing is believed yet. Throws Refused. */
export function readNote(text: string): Note {
  const at = text.lastIndexOf('\n\n')
  if (at < 0 || !text.endsWith('\n')) throw new Refused('not a signed note')
  const signatures = text.slice(at + 2, -1).split('\n').map(readSignature)
  return { text: text.slice(0, at + 1), signatures }
}

function readSignature(line: string): Signature {
  const parts = line.split(' ')
  const [dash, name = '', said = ''] = parts
  if (parts.length !== 3 || dash !== '\u2014' || !NAME.test(name)) throw new Refused('not a signature')
  const raw = decode(said)
  if (raw.length < 5) throw new Refused('a signature is cut off')
  return { name, id: raw.subarray(0, 4), raw: raw.subarray(4) }
}

/** The text of a note as a checkpoint. Throws Refused. */
export function readCheckpoint(text: string): Checkpoint {
  const lines = text.split('\n')
  const whole = lines.length >= 4 && lines.pop() === '' && lines.every(Boolean)
  const [origin, size, said] = lines as [string, string, string]
  if (!whole || !DECIMAL.test(size)) throw new Refused('not a checkpoint')
  const root = decode(said)
  if (root.length !== 32) throw new Refused('not a checkpoint: its root')
  return { origin, size: Number(size), root }
}

/** The logs' keys among these that signed the note. Throws Refused when one of their signatures is false. */
export function checkLog(note: Note, keys: readonly Key[]): Key[] {
  return signed(note, keys, LOG).map(({ key, raw }) => {
    checkOne(key, raw, utf8.encode(note.text))
    return key
  })
}

/** The witnesses among these that cosigned, and when. Throws Refused when a signature of theirs is false. */
export function checkWitnesses(note: Note, keys: readonly Key[]): Cosigned[] {
  return signed(note, keys, WITNESS).map(({ key, raw }) => {
    if (raw.length < TIME_BYTES) throw new Refused(`the signature of ${key.name} is false`)
    const at = new DataView(raw.buffer, raw.byteOffset).getBigUint64(0)
    checkOne(key, raw.subarray(TIME_BYTES), utf8.encode(`cosignature/v1\ntime ${at.toString()}\n${note.text}`))
    return { key, atS: Number(at) }
  })
}

function signed(note: Note, keys: readonly Key[], kind: number): { key: Key; raw: Bytes }[] {
  const ours = keys.filter((key) => key.kind === kind)
  return note.signatures.flatMap((one) => {
    const key = ours.find((known) => known.name === one.name && same(known.id, one.id))
    return key ? [{ key, raw: one.raw }] : []
  })
}

function checkOne(key: Key, raw: Bytes, message: Bytes): void {
  if (!verifies(key, raw, message)) throw new Refused(`the signature of ${key.name} is false`)
}

function verifies(key: Key, raw: Bytes, message: Bytes): boolean {
  try {
    return raw.length === SIGNATURE_BYTES && verify(raw, message, key.raw, { zip215: false })
  } catch {
    return false
  }
}
