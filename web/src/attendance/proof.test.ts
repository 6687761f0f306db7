import { describe, expect, it } from 'vitest'
import type { BeatAnswer, BeatRequest, Lease } from '../wire/types'
import { PageProof, SIGN_EVERY_MS, type Keys } from './proof'

const CURVE = { name: 'ECDSA', namedCurve: 'P-256' } as const
const LEASE: Lease = { epoch: 3, resume: 'r', seq: 7, nonce: 'n7', attention: null }
const utf8 = new TextEncoder()
const base64 = (raw: ArrayBuffer) => btoa(String.fromCharCode(...new Uint8Array(raw)))
const bytes = (text: string) => Uint8Array.from(atob(text), (one) => one.charCodeAt(0))

async function made(): Promise<{ proof: PageProof; keys: Keys }> {
  const pair = await crypto.subtle.generateKey(CURVE, false, ['sign', 'verify'])
  const keys = { pair, shown: base64(await crypto.subtle.exportKey('raw', pair.publicKey)) }
  return { proof: new PageProof(keys, 'lesson'), keys }
}

const beat = (seq: number, nonce: string, mono: number): BeatRequest => ({ lesson_id: 'lesson', epoch: 3, seq, nonce, mono, spans: [[1, mono], [mono, mono + 1]], signature: null, attention: null })
const ack = (seq: number, mono: number): BeatAnswer => ({ seq, nonce: `n${seq}`, mono, note: null, cells: [], credit_ms: 0 })
const verified = (keys: Keys, signature: string, text: string) => crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, keys.pair.publicKey, bytes(signature), utf8.encode(text))

async function chain(...beats: BeatRequest[]): Promise<string> {
  let link = await crypto.subtle.digest('SHA-256', utf8.encode('keshi-beats/v1\nlesson\n3\n7\nn7\n'))
  for (const one of beats) {
    const words = utf8.encode(`${one.seq} ${one.nonce} ${one.mono} ${one.spans.map(([a, b]) => `${a}-${b}`).join(',')}`)
    link = await crypto.subtle.digest('SHA-256', Uint8Array.from([...new Uint8Array(link), ...words]))
  }
  return base64(link)
}

/** The beat after `seq` as it is sent once its signature is ready; each try has a reading of its own. */
async function signed(proof: PageProof, seq: number, mono: number): Promise<BeatRequest> {
  for (let again = 0; ; again += 1) {
    const sent = proof.sent(beat(seq + 1, `n${seq}`, mono + again))
    if (sent.signature !== null) return sent
    await new Promise((done) => { setTimeout(done, 1) })
  }
}

describe("the page's proof", () => {
  it('shows the key and the last nonce of the lease with each join', async () => {
    const { proof, keys } = await made()
    for (const nonce of [null, 'n7'] as const) {
      const shown = await proof.show('page-one')
      expect([shown?.key, shown?.nonce]).toEqual([keys.shown, nonce])
      expect(await verified(keys, shown?.proof ?? '', `keshi-join/v1\nlesson\npage-one\n${nonce ?? ''}\n`)).toBe(true)
      proof.joined(LEASE)
    }
  })
  it('signs the chain of what was taken, at first and then once a minute', async () => {
    const { proof, keys } = await made()
    proof.joined(LEASE)
    const first = proof.sent(beat(8, 'n7', 1_000))
    proof.sent(beat(8, 'n7', 9_000))
    expect(first.signature).toBeNull()
    proof.heard(ack(8, 1_000))
    const second = await signed(proof, 8, 11_000)
    expect(await verified(keys, second.signature ?? '', `keshi-beats/v1\nlesson\n3\n8\n${await chain(first)}\n`)).toBe(true)
    proof.heard(ack(9, second.mono))
    const third = proof.sent(beat(10, 'n9', second.mono + SIGN_EVERY_MS - 1))
    proof.heard(ack(10, third.mono))
    await new Promise((done) => { setTimeout(done, 20) })
    const fourth = proof.sent(beat(11, 'n10', second.mono + SIGN_EVERY_MS))
    expect(fourth.signature).toBeNull()
    proof.heard(ack(11, fourth.mono))
    const fifth = await signed(proof, 11, fourth.mono + 10)
    expect(await verified(keys, fifth.signature ?? '', `keshi-beats/v1\nlesson\n3\n11\n${await chain(first, second, third, fourth)}\n`)).toBe(true)
  })
  it('signs what was said of attention behind the spans', async () => {
    const { proof, keys } = await made()
    proof.joined(LEASE)
    const first = proof.sent({ ...beat(8, 'n7', 1_000), attention: { focused: [[1, 5], [7, 9]], active: [] } })
    proof.heard(ack(8, 1_000))
    const words = utf8.encode('8 n7 1000 1-1000,1000-1001 1-5,7-9 ')
    const begun = await crypto.subtle.digest('SHA-256', utf8.encode('keshi-beats/v1\nlesson\n3\n7\nn7\n'))
    const link = base64(await crypto.subtle.digest('SHA-256', Uint8Array.from([...new Uint8Array(begun), ...words])))
    expect(first.attention).not.toBeNull()
    expect(await verified(keys, (await signed(proof, 8, 11_000)).signature ?? '', `keshi-beats/v1\nlesson\n3\n8\n${link}\n`)).toBe(true)
  })
  it('signs no more for this lease what it cannot know, until it joins again', async () => {
    const { proof } = await made()
    proof.joined(LEASE)
    proof.sent(beat(8, 'n7', 1_000))
    proof.heard(ack(8, 77))
    await new Promise((done) => { setTimeout(done, 20) })
    expect(proof.sent(beat(9, 'n8', 11_000)).signature).toBeNull()
    proof.joined({ ...LEASE, seq: 8, nonce: 'n8' })
    proof.sent(beat(9, 'n8', 21_000))
    proof.heard(ack(9, 21_000))
    expect((await signed(proof, 9, 31_000)).seq).toBe(10)
  })
  it('is quiet once the server doubted a signature', async () => {
    const { proof } = await made()
    proof.joined(LEASE)
    proof.doubt()
    proof.sent(beat(8, 'n7', 1_000))
    proof.heard(ack(8, 1_000))
    await new Promise((done) => { setTimeout(done, 20) })
    expect(proof.sent(beat(9, 'n8', 11_000)).signature).toBeNull()
  })
})
