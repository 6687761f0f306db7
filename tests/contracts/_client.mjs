// npm's own socket.io-client, driven by lines of JSON: {do, ...} in, what happened out.
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'

const [, , web, url, token] = process.argv
const { io } = createRequire(`${web}/package.json`)('socket.io-client')
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`)
const socket = io(url, {
  transports: ['websocket'],
  extraHeaders: { Origin: url, Cookie: `keshi_session=${token}` },
  reconnectionDelay: 50,
  reconnectionDelayMax: 50,
})
socket.on('connect', () => say({ was: 'connect' }))
socket.on('disconnect', (reason) => say({ was: 'disconnect', reason }))
socket.on('connect_error', (error) => say({ was: 'connect_error', message: error.message }))
socket.onAny((event, payload, answer) => {
  const text = payload?.text ?? ''
  say({ was: 'event', event, by: payload?.by, text: text.length > 200 ? `${text.length}${text.slice(-3)}` : text })
  if (typeof answer === 'function') answer(true)
})

const work = {
  call: ({ event, payload }) => socket.timeout(5_000).emitWithAck(event, payload).then(
    (answer) => say({ was: 'answer', answer }),
    () => say({ was: 'no answer' }),
  ),
  // Many at once: their answers must come in this order.
  burst: ({ event, payload, times }) => Promise.all(Array.from({ length: times }, (_, at) =>
    socket.emitWithAck(event, { ...payload, name: `${at}` }).then((answer) => say({ was: 'answer', answer })))),
  binary: () => { socket.emit('greet', { name: Buffer.from([1, 2, 3]) }) },
  stop: () => { socket.io.engine.transport.ws._socket.pause() },
  go: () => { socket.io.engine.transport.ws._socket.resume() },
  cut: () => { socket.io.engine.transport.ws._socket.destroy() },
  bye: () => { socket.disconnect(); process.exit(0) },
}
createInterface({ input: process.stdin }).on('line', (line) => {
  const what = JSON.parse(line)
  work[what.do](what)
})
