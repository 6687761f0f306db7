import { afterEach, describe, expect, it, vi } from 'vitest'
import { passwordFault, signIn, signed, slipSecret, tidyLogin, whoAmI } from './state'
import { Refusal } from '../wire/refusal'

const answer = (status: number, body: unknown) => new Response(JSON.stringify(body), { status })
afterEach(() => {
  vi.unstubAllGlobals()
  signed.set({ known: false, me: null, site: null })
})

describe('a login', () => {
  it.each([['11010119900307001x', '11010119900307001X'], [' li si ', 'lisi'], ['max', 'max']])('%s is read as %s', (typed, read) => {
    expect(tidyLogin(typed)).toBe(read)
  })
  it('that is refused keeps the code of the server', async () => {
    vi.stubGlobal('fetch', () => Promise.resolve(answer(429, { code: 'too_many_tries', data: { retry_after_s: 30 } })))
    await expect(signIn('a', 'b')).rejects.toMatchObject({ code: 'too_many_tries', data: { retry_after_s: 30 } })
    expect(signed.value.me).toBeNull()
  })
  it('without a network says so', async () => {
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('x')))
    await expect(signIn('a', 'b')).rejects.toBeInstanceOf(Refusal)
    await expect(signIn('a', 'b')).rejects.toMatchObject({ code: 'offline' })
  })
})

describe('who am I', () => {
  it('is asked once, and nobody is an answer', async () => {
    const fetched = vi.fn((path: string) => Promise.resolve(answer(200, path.endsWith('/site') ? { demo: true } : { me: null })))
    vi.stubGlobal('fetch', fetched)
    expect(await whoAmI()).toBeNull()
    expect(await whoAmI()).toBeNull()
    expect(fetched).toHaveBeenCalledTimes(2)
    expect(signed.value.site).toEqual({ demo: true })
  })
  it('stays open when the server fails', async () => {
    vi.stubGlobal('fetch', () => Promise.resolve(new Response('bad gateway', { status: 502 })))
    await expect(whoAmI()).rejects.toMatchObject({ code: 'http_failed', data: { status: 502 } })
    expect(signed.value.known).toBe(false)
  })
})

describe('a password', () => {
  it.each([['1234567', '1234567', 'password_weak'], ['12345678', '12345679', 'password_differs'], ['12345678', '12345678', null]])('%s, %s: %s', (a, b, fault) => {
    expect(passwordFault(a, b)).toBe(fault)
  })
})

describe('a slip', () => {
  it('is read as printed or typed', () => { expect(slipSecret('tok', 'ab12-cd 34')).toBe('tok:AB12CD34') })
})
