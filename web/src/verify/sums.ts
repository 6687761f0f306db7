/** Small sums over maps. */

/** What stands there, or nothing. */
export const amount = (map: ReadonlyMap<string, number>, key: string): number => map.get(key) ?? 0

export const sumOf = (numbers: Iterable<number>): number => [...numbers].reduce((all, one) => all + one, 0)

export function plus(map: Map<string, number>, key: string, more: number): void {
  map.set(key, amount(map, key) + more)
}

/** What stands there, made where nothing does. */
export function of<K, V>(map: Map<K, V>, key: K, made: () => V): V {
  const found = map.get(key) ?? made()
  map.set(key, found)
  return found
}
