// Node's own Socket.IO server, as little as a room needs: whoever connects is in it, what one says all hear.
import { createServer } from 'node:http'
import { Server } from 'socket.io'

const http = createServer()
const io = new Server(http, { transports: ['websocket'], perMessageDeflate: false, pingInterval: 10_000, pingTimeout: 10_000 })
io.on('connection', (socket) => {
  void socket.join('lesson:0')
  socket.on('say', (line, answer) => {
    io.to('lesson:0').emit('line', line)
    answer({ ok: true })
  })
})
http.listen(0, '127.0.0.1', () => process.stdout.write(`${http.address().port}\n`))
process.stdin.on('end', () => process.exit(0)).resume()
