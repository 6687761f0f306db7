import { describe, expect, it } from 'vitest'
import { digester, solve } from './sha'

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

describe('a digest', () => {
  it.each([0, 1, 54, 55, 56, 63, 64, 65, 118, 119, 120, 127, 128, 200])('of %i letters and a number is SHA-256', async (length) => {
    const start = 'abcdefghij'.repeat(20).slice(0, length)
    const digest = digester(start)
    for (const end of ['', '0', '42', '100000']) expect(digest(end)).toBe(await sha256(start + end))
  })
})

describe('a proof of work', () => {
  const salt = '0123456789ab?level=1&door=00112233445566778899aabbccddeeff&until=1795424400000&'
  it('is the number behind the salt', async () => { expect(solve(salt, await sha256(`${salt}777`), 1000)).toBe(777) })
  it('may be the first or the last', async () => {
    expect(solve(salt, await sha256(`${salt}0`), 10)).toBe(0)
    expect(solve(salt, await sha256(`${salt}10`), 10)).toBe(10)
  })
  it('does not exist beyond the end', async () => { expect(solve(salt, await sha256(`${salt}11`), 10)).toBeNull() })
})
