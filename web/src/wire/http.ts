/** Asks the server over HTTP. Every failure is a Refusal: the server's own code, or `offline` where it could not be reached. */
import { Store } from '../ui/store'
import { Refusal, type RefusalData } from './refusal'

/** Whether the server answered last time: a page that could not load tries again when it does. */
export const reach = new Store<'there' | 'away'>('there')
/** What a proxy says while nobody is behind it. */
const NOBODY_THERE = new Set([502, 503, 504])

type Method = 'GET' | 'POST' | 'DELETE'

async function refusalOf(response: Response): Promise<Refusal> {
  try {
    const said = (await response.json()) as { code?: string; data?: RefusalData }
    if (said.code) return new Refusal(said.code, said.data)
  } catch {
    // Not our own server's words: a proxy in between, or nothing at all.
  }
  return new Refusal(response.status === 401 ? 'not_signed_in' : 'http_failed', { status: response.status })
}

async function send(method: Method, path: string, body?: BodyInit, type?: string): Promise<Response> {
  let response: Response
  try {
    const headers: Record<string, string> = type ? { 'content-type': type } : {}
    response = await fetch(path, { method, headers, credentials: 'same-origin', cache: 'no-store', ...(body === undefined ? {} : { body }) })
  } catch {
    reach.set('away')
    throw new Refusal('offline')
  }
  if (response.ok) {
    reach.set('there')
    return response
  }
  const refusal = await refusalOf(response)
  reach.set(refusal.code === 'http_failed' && NOBODY_THERE.has(response.status) ? 'away' : 'there')
  throw refusal
}

export async function get<T>(path: string): Promise<T> {
  return (await (await send('GET', `/api/v1${path}`)).json()) as T
}

/** A file, under the name that the server gives it. */
export interface NamedFile { name: string; content: Blob }

export async function getFile(path: string): Promise<NamedFile> {
  return named(await send('GET', `/api/v1${path}`))
}

/** A file that is made for this request. */
export async function postForFile(path: string, body: unknown): Promise<NamedFile> {
  return named(await send('POST', `/api/v1${path}`, JSON.stringify(body), 'application/json'))
}

async function named(response: Response): Promise<NamedFile> {
  const said = /filename\*=UTF-8''([^;]+)/i.exec(response.headers.get('content-disposition') ?? '')
  return { name: decodeURIComponent(said?.[1] ?? 'keshi'), content: await response.blob() }
}

export async function post<T>(path: string, body: unknown = {}): Promise<T> {
  return (await (await send('POST', `/api/v1${path}`, JSON.stringify(body), 'application/json')).json()) as T
}

/** A file as it is: the roster a school sends. */
export async function postFile<T>(path: string, file: Blob): Promise<T> {
  return (await (await send('POST', `/api/v1${path}`, file, file.type || 'application/octet-stream')).json()) as T
}
