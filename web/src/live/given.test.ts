import { describe, expect, it } from 'vitest'
import { Refusal } from '../wire/refusal'
import type { FileView } from '../wire/types'
import { Giving, addressOf, sizeOf } from './given'

const VIEW: FileView = { file_id: 'f1', name: 'a.pdf', kind: 'pdf', size: 5, use: 'chat', by_id: 'p', at: '' }

/** A server that answers when it is told to. */
function server() {
  const asked: { lesson: string; use: string; told: (part: number) => void; signal: AbortSignal; done: (view: FileView) => void; failed: (fault: Error) => void }[] = []
  const give = (lesson: string, use: FileView['use'], _: File, told: (part: number) => void, signal: AbortSignal): Promise<FileView> =>
    new Promise((done, failed) => {
      signal.addEventListener('abort', () => { failed(new Refusal('cancelled')) })
      asked.push({ lesson, use, told, signal, done, failed })
    })
  return { asked, give }
}
const file = (name = 'a.pdf') => new File(['hello'], name)

describe('a file that goes with a line', () => {
  it('is on its way, then there, then gone', async () => {
    const { asked, give } = server()
    const giving = new Giving('l1', give)
    const given = giving.give(file())
    expect(giving.view.value).toEqual({ part: 0, name: 'a.pdf', file: null })
    expect(asked[0]).toMatchObject({ lesson: 'l1', use: 'chat' })
    asked[0]?.told(0.5)
    expect(giving.view.value.part).toBe(0.5)
    asked[0]?.done(VIEW)
    await given
    expect(giving.view.value).toEqual({ part: null, name: '', file: { id: 'f1', name: 'a.pdf', size: 5, kind: 'pdf' } })
    giving.drop()
    expect(giving.view.value.file).toBeNull()
  })

  it('is cancelled without a word', async () => {
    const { asked, give } = server()
    const giving = new Giving('l1', give)
    const given = giving.give(file())
    giving.drop()
    await given
    expect(asked[0]?.signal.aborted).toBe(true)
    asked[0]?.told(0.9)
    expect(giving.view.value).toEqual({ part: null, name: '', file: null })
  })

  it('that is refused leaves nothing but the words', async () => {
    const { asked, give } = server()
    const giving = new Giving('l1', give)
    const given = giving.give(file())
    asked[0]?.failed(new Refusal('switched_off'))
    await expect(given).rejects.toMatchObject({ code: 'switched_off' })
    expect(giving.view.value).toEqual({ part: null, name: '', file: null })
  })

  it('takes the place of the one before', async () => {
    const { asked, give } = server()
    const giving = new Giving('l1', give)
    const first = giving.give(file())
    const second = giving.give(file('b.pdf'))
    await first
    expect(giving.view.value).toMatchObject({ part: 0, name: 'b.pdf' })
    asked[1]?.done({ ...VIEW, file_id: 'f2' })
    await second
    expect(giving.view.value.file?.id).toBe('f2')
  })
})

it('a size is said in whole KB, and in MB from one on', () => {
  expect([0, 1, 1536, 1023 * 1024].map((bytes) => sizeOf(bytes).size)).toEqual(['1', '1', '2', '1023'])
  expect(sizeOf(1024 * 1024)).toEqual({ unit: 'mb', size: '1.0' })
  expect(sizeOf(1024 * 1024 - 1)).toEqual({ unit: 'mb', size: '1.0' })
  expect(sizeOf(20 * 1024 * 1024)).toEqual({ unit: 'mb', size: '20.0' })
  expect(addressOf('l1', 'f1')).toBe('/api/v1/lessons/l1/files/f1')
})
