/** Decides which pages a role has, and which it sees first. The server decides again for every request. */
import type { Key } from '../ui/catalogue'
import type { Role } from '../wire/types'

export interface Place { path: string; word: Key; roles: readonly Role[] }

export const PLACES: readonly Place[] = [
  { path: '/oversight', word: 'nav.oversight', roles: ['regulator'] },
  { path: '/lessons', word: 'nav.lessons', roles: ['instructor', 'staff', 'administrator'] },
  { path: '/classes', word: 'nav.classes', roles: ['staff', 'administrator', 'regulator', 'instructor'] },
  { path: '/corrections', word: 'nav.corrections', roles: ['staff', 'administrator', 'regulator'] },
  { path: '/people', word: 'nav.people', roles: ['staff', 'administrator'] },
  { path: '/institutions', word: 'nav.institutions', roles: ['administrator'] },
]

export const placesOf = (role: Role): Place[] => PLACES.filter((place) => place.roles.includes(role))

export function homeOf(role: Role): string {
  if (role === 'staff') return '/classes'
  if (role === 'administrator') return '/institutions'
  return placesOf(role)[0]?.path ?? '/login'
}

/** Who may change a class, its roster and its lessons. */
export const mayEdit = (role: Role | undefined): boolean => role === 'staff' || role === 'administrator'
export const mayExport = (role: Role | undefined): boolean => mayEdit(role) || role === 'regulator'
