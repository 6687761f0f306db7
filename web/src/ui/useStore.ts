/** A Store as a component sees it. */
import { onScopeDispose, shallowRef, type ShallowRef } from 'vue'
import type { Store } from './store'

export function useStore<T>(store: Store<T>): Readonly<ShallowRef<T>> {
  const seen = shallowRef(store.value)
  onScopeDispose(store.subscribe((value) => { seen.value = value }))
  return seen
}
