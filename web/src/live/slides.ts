/** Slides of a lesson as pages ask for them: decks, sizes, pictures, texts, and a file that is given with its progress. */
import { get } from '../wire/http'
import { Refusal, type RefusalData } from '../wire/refusal'
import type { Deck, Decks, FileView, PageText } from '../wire/types'

const of = (lesson: string): string => `/lessons/${lesson}/slides`

export const decksOf = (lesson: string): Promise<Decks> => get<Decks>(of(lesson))
export const deckOf = (lesson: string, file: string): Promise<Deck> => get<Deck>(`${of(lesson)}/${file}`)
export const textOf = async (lesson: string, file: string, page: number): Promise<string> => (await get<PageText>(`${of(lesson)}/${file}/${page}`)).text

/** Where a page's picture is; `again` counts how often it was asked for in vain. */
export function pictureOf(lesson: string, file: string, page: number, width: 960 | 1920, again = 0): string {
  return `/api/v1${of(lesson)}/${file}/${page}/${width}.webp${again ? `?again=${again}` : ''}`
}

/** How high a page is by its width; null before it is known. */
export function ratioOf(deck: Pick<Deck, 'sizes'> | null, page: number): number | null {
  const size = deck?.sizes[page - 1]
  return size ? size[1] / size[0] : null
}

/** Whether anything is still being made. */
export const isMaking = (deck: Deck): boolean => deck.converting || (deck.trouble === null && (deck.sizes.length === 0 || deck.made < deck.sizes.length))

function refusalOf(request: XMLHttpRequest): Refusal {
  try {
    const said = JSON.parse(request.responseText) as { code?: string; data?: RefusalData }
    if (said.code) return new Refusal(said.code, said.data)
  } catch {
    // not our own server's words
  }
  return new Refusal(request.status === 0 ? 'offline' : 'http_failed', { status: request.status })
}

/** Gives a file; `told` hears how much of it is there, 0 to 1. Cancelled by `signal`: nothing is kept then. */
export function giveFile(lesson: string, use: FileView['use'], file: File, told: (part: number) => void, signal: AbortSignal): Promise<FileView> {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest()
    request.open('POST', `/api/v1/lessons/${lesson}/files?use=${use}&name=${encodeURIComponent(file.name.slice(-200))}`)
    request.setRequestHeader('content-type', 'application/octet-stream')
    request.upload.onprogress = (event) => { told(event.total ? event.loaded / event.total : 0) }
    request.onload = () => {
      if (request.status === 200) done(JSON.parse(request.responseText) as FileView)
      else failed(refusalOf(request))
    }
    request.onerror = () => { failed(refusalOf(request)) }
    request.onabort = () => { failed(new Refusal('cancelled')) }
    signal.addEventListener('abort', () => { request.abort() })
    request.send(file)
  })
}
