/** Decides whether a typed code can be right: Damm's check digit, the same table as server/attendance/challenges/prompts.py. */
const ROWS = ['0317598642', '7092154863', '4206871359', '1750983426', '6123045978', '3674209581', '5869720134', '8945362017', '9438617205', '2581436790']

/** Damm's digit after these digits; 0 after digits that end with theirs. */
export function checkDigit(digits: string): number {
  let interim = 0
  for (const digit of digits) interim = Number(ROWS[interim]?.[Number(digit)])
  return interim
}

export const CODE_DIGITS = 6

/** What somebody typed as digits: full-width ones and blanks are as good as any. */
export const digitsOf = (typed: string): string => typed.normalize('NFKC').replace(/\D/g, '').slice(0, CODE_DIGITS)

/** What to say of it before it is sent: nothing, that digits are missing, or that one is wrong. */
export function faultOf(digits: string): 'short' | 'wrong' | null {
  if (digits.length < CODE_DIGITS) return 'short'
  return checkDigit(digits) === 0 ? null : 'wrong'
}
