/** Reads JSON in which no object says a name twice: of two, JSON.parse takes the last, and another program may take the first. */
import { Refused } from './tree'

/** A text; behind it a colon where it is a name. No text is looked into for another one. */
const TEXT = /"[^"\\]*(?:\\.[^"\\]*)*"\s*(:?)/g

/** The value of a JSON text. Throws Refused. */
export function parsed(text: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new Refused('not JSON')
  }
  let names = 0
  for (const [, colon] of text.matchAll(TEXT)) names += colon ? 1 : 0
  if (names !== namesIn(value)) throw new Refused('a name stands twice in an object')
  return value
}

function namesIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  const inside: unknown[] = Object.values(value)
  return inside.reduce((sum: number, one) => sum + namesIn(one), Array.isArray(value) ? 0 : inside.length)
}
