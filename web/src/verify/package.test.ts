import { strToU8, zipSync } from 'fflate'
import { describe, expect, it } from 'vitest'
import { take } from './package'
import { Refused } from './tree'

const KEY = 'log+00000000+AAAA\n'
const CARD = '{"v":"keshi-card/v1"}'
const zip = (members: Record<string, string>): File => new File([zipSync(Object.fromEntries(Object.entries(members).map(([name, text]) => [name, strToU8(text)])))], 'class.ZIP')

describe('a package', () => {
  it('brings neither keys nor cards: whoever forged it would bring them too', async () => {
    const found = await take([zip({ 'evidence.json': '{}', 'keys.txt': KEY, 'card.json': CARD, 'inner.zip': 'PK' })])
    expect(found).toEqual({ evidence: '{}', sheets: [], salts: new Map(), keys: [], cards: [], receipts: [] })
  })

  it('is read by the names of its files', async () => {
    const found = await take([zip({ 'evidence.json': '{}', 'zzz.json': '{"other":1}' })])
    expect(found.evidence).toBe('{}')
    expect((await take([zip({ 'other.json': '{}' })])).evidence).toBeNull()
  })

  it.each(['a.csv', 'A.CSV'])('has each name once, %s', async (name) => {
    const raw = zipSync({ 'a.csv': strToU8('1'), [name === 'a.csv' ? 'b.csv' : name]: strToU8('2') })
    const text = String.fromCharCode(...raw).replaceAll('b.csv', 'a.csv')
    const twice = new File([Uint8Array.from(text, (one) => one.charCodeAt(0))], 'class.zip')
    await expect(take([twice])).rejects.toThrow(Refused)
  })

  it('is refused where its text is none', async () => {
    const raw = zipSync({ 'evidence.json': Uint8Array.of(0xff) })
    await expect(take([new File([raw], 'a.zip')])).rejects.toThrow(Refused)
  })
})

describe('files that a person drops', () => {
  it('may be keys, cards and evidence', async () => {
    const files = [new File([KEY], 'keys.txt'), new File([CARD], 'card.json'), new File(['{}'], 'x.json')]
    expect(await take(files)).toMatchObject({ evidence: '{}', keys: [KEY], cards: [CARD] })
  })
})
