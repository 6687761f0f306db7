import { describe, expect, it } from 'vitest'
import { only } from './reach'

const ANSWER = [
  'v=0', 'a=candidate:1 1 udp 2130706431 192.0.2.1 8090 typ host', 'a=candidate:2 1 udp 2130706175 2001:db8::1 8090 typ host',
  'a=candidate:tcp1 1 tcp 1518280447 192.0.2.1 8091 typ host tcptype passive', 'a=end-of-candidates', '',
].join('\r\n')

describe('one protocol of an answer', () => {
  it('is left alone, with its port', () => {
    expect(only('udp', ANSWER)).toMatchObject({ port: 8090 })
    expect(only('udp', ANSWER).answer).not.toContain('tcp')
    expect(only('tcp', ANSWER)).toEqual({ port: 8091, answer: ['v=0', 'a=candidate:tcp1 1 tcp 1518280447 192.0.2.1 8091 typ host tcptype passive', 'a=end-of-candidates', ''].join('\r\n') })
  })
  it('may not be there', () => { expect(only('tcp', ANSWER.replace(/^.*tcp.*\r\n/m, '')).port).toBe(0) })
})
