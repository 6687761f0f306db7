/** Who is signed in on this page, and on which site. */
import { Store } from '../ui/store'
import { get, post } from '../wire/http'
import { knock } from './door'
import type { DemoLesson, Me, Opened, Site, Who } from '../wire/types'

export interface Signed { known: boolean; me: Me | null; site: Site | null }

/** The server's time when it named the site, and this page's clock then: the computer's own date is never read. */
let heard: { server: number; mono: number } | null = null

/** The server's time in milliseconds, as far as this page can know. */
export function serverNow(): number {
  return heard ? heard.server + performance.now() - heard.mono : 0
}

export const signed = new Store<Signed>({ known: false, me: null, site: null })

/** Asks once who we are; a page shows nothing of its own before that is known. */
export async function whoAmI(): Promise<Me | null> {
  if (signed.value.known) return signed.value.me
  const site = signed.value.site ?? (await get<Site>('/site'))
  heard ??= { server: Date.parse(site.now), mono: performance.now() }
  signed.patch({ site })
  signed.patch({ known: true, me: (await get<Who>('/me')).me })
  return signed.value.me
}

/** An ID number may be typed with a small x and spaces. */
export function tidyLogin(login: string): string {
  const plain = login.replace(/\s+/g, '')
  return /^\d{17}x$/.test(plain) ? plain.toUpperCase() : plain
}

export async function signIn(login: string, password: string): Promise<Me> {
  const me = await knock<Me>('/login', { login: tidyLogin(login), password })
  signed.patch({ known: true, me })
  return me
}

export async function signOut(): Promise<void> {
  await post('/logout')
  forget()
}

export function forget(): void {
  signed.patch({ known: true, me: null })
}

export const openInvitation = (secret: string): Promise<Opened> => knock<Opened>('/invitations/open', { secret })

export async function redeem(secret: string, password: string): Promise<Me> {
  const me = await knock<Me>('/invitations/redeem', { secret, password })
  signed.patch({ known: true, me })
  return me
}

export async function changePassword(old: string, fresh: string): Promise<void> {
  await post('/me/password', { old, new: fresh })
}

/** Codes are read from paper: case and gaps do not matter. */
export function slipSecret(classToken: string, code: string): string {
  return `${classToken}:${code.replace(/[\s-]+/g, '').toUpperCase()}`
}

export const startDemo = (): Promise<DemoLesson> => post<DemoLesson>('/demo/lesson')

export const PASSWORD_MINIMUM = 8
export type PasswordFault = 'password_weak' | 'password_differs'

export function passwordFault(first: string, second: string): PasswordFault | null {
  if (Array.from(first).length < PASSWORD_MINIMUM) return 'password_weak'
  return first === second ? null : 'password_differs'
}
