/** A file that is to go with a line of the chat: on its way with its progress, there, or put away again. */
import { Store } from '../ui/store'
import { Refusal } from '../wire/refusal'
import type { ChatFile, FileView } from '../wire/types'
import { giveFile } from './slides'

/** What may be chosen; what counts in the end is the content, which the server looks at. */
export const ACCEPTED = '.pdf,.pptx,.docx,.xlsx,.png,.jpg,.jpeg,.webp,.txt'
const KB = 1024
const MB = KB * KB

/** Where a file of a lesson is fetched from. */
export const addressOf = (lesson: string, file: string): string => `/api/v1/lessons/${lesson}/files/${file}`

/** How large a file is, in words of the catalogue: whole KB below one MB, at least one. */
export function sizeOf(bytes: number): { unit: 'kb' | 'mb'; size: string } {
  const whole = Math.max(1, Math.round(bytes / KB))
  return whole < KB ? { unit: 'kb', size: String(whole) } : { unit: 'mb', size: (bytes / MB).toFixed(1) }
}

/** `part`: how much of a file is there, 0 to 1; null while none is on its way. */
export interface GivingView { part: number | null; name: string; file: ChatFile | null }
const NONE: GivingView = { part: null, name: '', file: null }

export class Giving {
  readonly view = new Store<GivingView>(NONE)
  readonly #give: (file: File, told: (part: number) => void, signal: AbortSignal) => Promise<FileView>
  #cancel: AbortController | null = null

  constructor(lesson: string, give: typeof giveFile = giveFile) {
    this.#give = (file, told, signal) => give(lesson, 'chat', file, told, signal)
  }

  /** Gives one file, in place of the one before. A cancelled one leaves nothing. Throws a Refusal. */
  async give(file: File): Promise<void> {
    this.drop()
    const own = new AbortController()
    this.#cancel = own
    this.view.set({ part: 0, name: file.name, file: null })
    try {
      const { file_id: id, name, size, kind } = await this.#give(file, (part) => { if (this.#cancel === own) this.view.patch({ part }) }, own.signal)
      if (this.#cancel === own) this.view.set({ ...NONE, file: { id, name, size, kind } })
    } catch (fault) {
      if (this.#cancel === own) this.view.set(NONE)
      if (!(fault instanceof Refusal && fault.code === 'cancelled')) throw fault
    }
  }

  /** No file goes with the next line; one that is on its way is cancelled. */
  drop(): void {
    this.#cancel?.abort()
    this.#cancel = null
    this.view.set(NONE)
  }
}
