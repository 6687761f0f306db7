import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { door, knock, type DoorState } from './door'
import { digester } from './sha'

const SALT = 'ab?level=1&door=cd&until=1&'
const challenge = { algorithm: 'SHA-256', challenge: digester(SALT)('7'), maxNumber: 10, salt: SALT, signature: 's' }
const waiting = { status: 503, body: { code: 'waiting', data: { place: 3, ticket: 'mine', retry_after_s: 1 } } }
const proof = { status: 429, body: { code: 'proof_needed', data: { challenge } } }
const good = { status: 200, body: { id: 'me' } }
type Answer = typeof waiting | typeof proof | typeof good | 'no network'

let seen: DoorState[]
let said: Record<string, string>[]
let stop: () => void

function answers(...list: Answer[]): void {
  vi.stubGlobal('fetch', (_path: string, { body }: { body: string }) => {
    said.push(JSON.parse(body) as Record<string, string>)
    const next = list.shift()
    if (next === undefined || next === 'no network') return Promise.reject(new TypeError('x'))
    return Promise.resolve(new Response(JSON.stringify(next.body), { status: next.status }))
  })
}
async function through(): Promise<unknown> {
  const going = knock('/login', { login: 'a', password: 'b' }).catch((fault: unknown) => fault)
  await vi.advanceTimersByTimeAsync(60_000)
  return going
}

beforeEach(() => {
  vi.useFakeTimers()
  seen = []
  said = []
  stop = door.subscribe((now) => seen.push(now))
})
afterEach(() => {
  stop()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

describe('a door', () => {
  it('that is open is passed at once', async () => {
    answers(good)
    expect(await through()).toEqual({ id: 'me' })
    expect(said).toEqual([{ login: 'a', password: 'b' }])
    expect(seen).toEqual([{ kind: 'open' }])
  })
  it('with a line is waited at with the ticket and the place shown', async () => {
    answers(waiting, waiting, good)
    expect(await through()).toEqual({ id: 'me' })
    expect(said[1]).toEqual({ login: 'a', password: 'b', ticket: 'mine' })
    expect(seen.map((one) => one.kind)).toEqual(['waiting', 'waiting', 'open'])
    expect(seen[0]).toEqual({ kind: 'waiting', place: 3 })
  })
  it('keeps the place through a short break of the network', async () => {
    answers(waiting, 'no network', 'no network', good)
    expect(await through()).toEqual({ id: 'me' })
    expect(said[3]?.ticket).toBe('mine')
  })
  it('without a ticket says at once that there is no network', async () => {
    answers('no network')
    expect(await through()).toMatchObject({ code: 'offline' })
  })
  it('that asks for work gets it, by itself', async () => {
    answers(proof, good)
    expect(await through()).toEqual({ id: 'me' })
    expect(JSON.parse(atob(said[1]?.proof ?? '')) as unknown).toEqual({ algorithm: 'SHA-256', challenge: challenge.challenge, number: 7, salt: SALT, signature: 's' })
    expect(seen.map((one) => one.kind)).toEqual(['working', 'open'])
  })
  it('that asks for work again and again is given up', async () => {
    answers(...Array.from({ length: 9 }, () => proof))
    expect(await through()).toMatchObject({ code: 'proof_needed' })
    expect(said).toHaveLength(6)
  })
})
