/** A page's chat: its lines in order, older ones on demand, whom one speaks to, what one has not seen. */
import { Store } from '../ui/store'
import type { ChatView } from '../wire/types'
import type { Talk } from './talk'

export const LINE_MOST = 500
export const MENTIONS_MOST = 10
/** What is true of the chat as a whole has this id. */
export const ROOM = 'room'

/** Somebody that a line may speak to. */
export interface Named { id: string; name: string }

const byId = (a: ChatView, b: ChatView): number => Number(a.id) - Number(b.id)

/** Lines in order. A pinned one that is older than all others that are there stands alone: what lies between is missing. */
export function linesOf(views: ReadonlyMap<string, ChatView>, older: readonly ChatView[]): ChatView[] {
  const all = new Map(older.map((line) => [line.id, line]))
  const loaded = new Set(all.keys())
  for (const [id, line] of views) if (id !== ROOM) all.set(id, line)
  const lines = [...all.values()].sort(byId)
  return standsAlone(lines, views.get(ROOM), loaded) ? lines.slice(1) : lines
}

function standsAlone(lines: readonly ChatView[], room: ChatView | undefined, loaded: ReadonlySet<string>): boolean {
  const [first] = lines
  return first !== undefined && lines.length > 1 && first.id === room?.pinned && !loaded.has(first.id)
}

/** People who have spoken, the last one first; not oneself. */
export function speakers(lines: readonly ChatView[], me: string): Named[] {
  const found = new Map<string, Named>()
  for (const { author_id: id, author: name } of [...lines].reverse()) if (id !== me && name && !found.has(id)) found.set(id, { id, name })
  return [...found.values()]
}

/** What is being typed behind the last @, if that is where the text ends. */
export const mentioning = (text: string): string | null => /@([^\s@]*)$/.exec(text)?.[1] ?? null

/** The text with a name in place of what was typed behind the last @. */
export const withName = (text: string, name: string): string => `${text.replace(/@[^\s@]*$/, '')}@${name} `

/** Whom a text speaks to, of those who may be meant. */
export function spokenTo(text: string, people: readonly Named[]): string[] {
  return people.filter(({ name }) => text.includes(`@${name}`)).map(({ id }) => id).slice(0, MENTIONS_MOST)
}

export interface Unseen { lines: number; mentions: number }

/** What came after a line that was seen; one's own lines are seen. */
export function unseen(lines: readonly ChatView[], seen: number, me: string): Unseen {
  const fresh = lines.filter((line) => Number(line.id) > seen && line.author_id !== me && !line.hidden)
  return { lines: fresh.length, mentions: fresh.filter(({ mentions }) => mentions.includes(me)).length }
}

export const lastOf = (views: Iterable<{ id: string }>): number => Math.max(0, ...[...views].map(({ id }) => Number(id)).filter(Number.isFinite))

export interface OlderView { lines: ChatView[]; more: boolean; busy: boolean }

/** Lines from before those that a page was given. */
export class Older {
  readonly view = new Store<OlderView>({ lines: [], more: true, busy: false })
  readonly #talk: Talk
  constructor(talk: Talk) {
    this.#talk = talk
  }

  /** Those before a line. Throws a Refusal. */
  async before(line: string): Promise<void> {
    if (this.view.value.busy) return
    this.view.patch({ busy: true })
    try {
      const { lines, more } = await this.#talk.ask('chat:older', { before: line })
      this.view.patch({ lines: [...lines, ...this.view.value.lines], more })
    } finally {
      this.view.patch({ busy: false })
    }
  }
}
