import { describe, expect, it } from 'vitest'
import vectors from '../../../tests/attendance/challenges/damm.json'
import { checkDigit, digitsOf, faultOf } from './damm'

describe('a code with its check digit', () => {
  it('has the digit that the server gives it', () => {
    for (const [digits, digit] of Object.entries(vectors)) expect(checkDigit(digits)).toBe(digit)
  })

  it('is told from every one with a digit wrong, and with two neighbours exchanged', () => {
    const code = `12345${checkDigit('12345')}`
    expect(faultOf(code)).toBeNull()
    for (let at = 0; at < code.length; at++) {
      for (const digit of '0123456789') {
        const typed = code.slice(0, at) + digit + code.slice(at + 1)
        expect(faultOf(typed)).toBe(typed === code ? null : 'wrong')
      }
      const [a = '', b = ''] = code.slice(at, at + 2)
      if (b) expect(faultOf(code.slice(0, at) + b + a + code.slice(at + 2))).toBe(a === b ? null : 'wrong')
    }
  })

  it('may be typed with blanks and full-width digits, and is not sent before it is whole', () => {
    expect(digitsOf('１２3 4-5a9 77')).toBe('123459')
    expect(faultOf('12345')).toBe('short')
  })
})
