/**
 * Decides which signed acknowledgements this browser keeps: the newest of each lesson and person, a bounded number. With
 * one of them a trainee can prove later that a minute was acknowledged (server/verify/acks.py).
 */
const PLACE = 'keshi.notes'
export const MOST_NOTES = 40

/** What a note is about: its lines of lesson and person. */
const about = (note: string): string => note.split('\n').slice(2, 4).join('\n')

function kept(): string[] {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(PLACE) ?? '[]')
    return Array.isArray(found) ? found.filter((one): one is string => typeof one === 'string') : []
  } catch {
    return []
  }
}

export function keepNote(note: string): void {
  const rest = kept().filter((one) => about(one) !== about(note))
  try {
    localStorage.setItem(PLACE, JSON.stringify([note, ...rest].slice(0, MOST_NOTES)))
  } catch {
    // Without storage nothing is kept; the receipt after the lesson says the same once more.
  }
}

/** The newest note about a lesson and a person. */
export function noteOf(lesson: string, person: string): string | null {
  return kept().find((one) => about(one) === `lesson ${lesson}\nperson ${person}`) ?? null
}
