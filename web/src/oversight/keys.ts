/** The public keys that somebody got elsewhere and trusts; this browser keeps them, so that they are not asked of us. */
const KEPT = 'keshi.trusted-keys'

export function keptKeys(): string {
  try {
    return localStorage.getItem(KEPT) ?? ''
  } catch {
    return ''
  }
}

export function keepKeys(lines: string): void {
  try {
    localStorage.setItem(KEPT, lines)
  } catch {
    // A browser that keeps nothing asks again next time.
  }
}
