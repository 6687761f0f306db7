import { describe, expect, it } from 'vitest'
import type { Line } from '../wire/socket'
import type { Acts, Changes, News, OrderView, Own } from '../wire/types'
import { Talk, merge, START } from './talk'

const L = 'a'.repeat(16)
const view = (id: string, silence: boolean): OrderView => ({ id, name: '', silence, lobby: false, removed: false, waiting: false, switches: { text: true, voice: true, video: true, screen: false, drawing: false, files: true } })
/** Changes of the order alone: what other activities add does not matter here. */
const only = (...order: OrderView[]): Changes => ({ ...(Object.fromEntries(Object.keys(START.views).map((name) => [name, []])) as unknown as Changes), order })
const told = (seq: number, whole: boolean, ...order: OrderView[]): Acts => ({ lesson_id: L, seq, whole, changes: only(...order), mine: START.mine, now_ms: 0 })

class Server {
  asked: number[] = []
  waiting: ((acts: Acts) => void)[] = []
  push: (news: News) => void = () => undefined
  missed: () => void = () => undefined
  own: (own: Own) => void = () => undefined
  readonly line: Line = {
    request: (async (_event: string, { seq }: { seq: number }) => {
      this.asked.push(seq)
      return await new Promise<Acts>((done) => { this.waiting.push(done) })
    }) as unknown as Line['request'],
    on: (event, heard) => {
      if (event === 'lesson:acts') this.push = heard as unknown as (news: News) => void
      if (event === 'lesson:own') this.own = heard as unknown as (own: Own) => void
      if (event === 'lesson:missed') this.missed = heard as unknown as () => void
    },
    onState: () => undefined,
    open: () => undefined,
    close: () => undefined,
  }

  async answer(acts: Acts): Promise<void> {
    this.waiting.shift()?.(acts)
    await new Promise((done) => { setTimeout(done) })
  }

  news(after: number, seq: number, ...order: OrderView[]): void {
    this.push({ lesson_id: L, after, seq, changes: only(...order), now_ms: 0 })
  }
}

async function joined(seq: number, ...order: OrderView[]): Promise<[Server, Talk]> {
  const server = new Server()
  const talk = new Talk(server.line, L)
  void talk.catchUp()
  await server.answer(told(seq, true, ...order))
  return [server, talk]
}

const silent = (talk: Talk) => talk.view.value.views.order.get('all')?.silence

describe('what a page knows of a lesson', () => {
  it('begins with everything, and goes on with pushes that follow', async () => {
    const [server, talk] = await joined(3, view('all', false))
    server.news(3, 4, view('all', true))
    expect([talk.view.value.seq, silent(talk), server.asked]).toEqual([4, true, [0]])
  })

  it('takes a push that overlaps, and none twice', async () => {
    const [server, talk] = await joined(3, view('all', false))
    server.news(1, 5, view('all', true))
    server.news(3, 4, view('all', false))
    expect([talk.view.value.seq, silent(talk)]).toEqual([5, true])
  })

  it('asks when it is told that it missed something', async () => {
    const [server, talk] = await joined(3, view('all', false))
    server.missed()
    expect(server.asked).toEqual([0, 3])
    await server.answer(told(5, false, view('all', true)))
    expect([talk.view.value.seq, silent(talk)]).toEqual([5, true])
  })

  it('asks for what it missed', async () => {
    const [server, talk] = await joined(3, view('all', false))
    server.news(5, 6, view('b', true))
    expect(server.asked).toEqual([0, 3])
    await server.answer(told(6, false, view('all', true), view('b', true)))
    expect([talk.view.value.seq, silent(talk), talk.view.value.views.order.size]).toEqual([6, true, 2])
  })

  it('asks again after an answer that came when more was missed already', async () => {
    const [server, talk] = await joined(3, view('all', false))
    server.news(4, 5)
    server.news(8, 9)
    await server.answer(told(6, false, view('all', true)))
    expect(server.asked).toEqual([0, 3, 6])
    await server.answer(told(9, false))
    expect(talk.view.value.seq).toBe(9)
  })

  it('keeps a newer push when an older answer comes after it', async () => {
    const [server, talk] = await joined(3, view('all', false))
    void talk.catchUp()
    server.news(3, 7, view('all', true))
    await server.answer(told(5, false, view('all', false)))
    expect([talk.view.value.seq, silent(talk), server.asked]).toEqual([7, true, [0, 3, 7]])
  })

  it('forgets what it knew when it is told everything', async () => {
    const [server, talk] = await joined(3, view('all', false), view('b', true))
    void talk.catchUp()
    await server.answer(told(4, true, view('all', true)))
    expect([...talk.view.value.views.order.keys()]).toEqual(['all'])
  })

  it('knows ledger time by what was told with the least delay', () => {
    const server = new Server()
    let mono = 100
    const talk = new Talk(server.line, L, () => mono)
    const tell = (after: number, now_ms: number) => { server.push({ lesson_id: L, after, seq: after + 1, changes: only(), now_ms }) }
    tell(0, 5_100)
    mono = 1_100
    tell(1, 5_900)
    expect(talk.view.value.ledger).toBe(5_000)
    tell(2, 6_200)
    expect(talk.view.value.ledger).toBe(5_100)
  })

  it('takes what is its own as it is told, of this lesson', async () => {
    const [server, talk] = await joined(3, view('all', false))
    const mine = { ...START.mine, order: view('me', false) }
    server.own({ lesson_id: 'b'.repeat(16), mine })
    expect(talk.view.value.mine.order).toBe(null)
    server.own({ lesson_id: L, mine })
    expect([talk.view.value.mine.order?.id, talk.view.value.seq]).toEqual(['me', 3])
  })

  it('leaves what did not change as it is', () => {
    const before = merge(START.views, only(view('all', false)))
    expect(merge(before, only())).toEqual(before)
    expect(merge(before, only()).order).toBe(before.order)
  })
})
