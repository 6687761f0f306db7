/** One thing a page does with the server: busy while it runs, refused with words when it fails. */
import { ref, shallowRef, type Ref, type ShallowRef } from 'vue'
import { asRefusal, type Refusal } from '../wire/refusal'

export interface Task<A extends unknown[], T> {
  busy: Ref<boolean>
  refusal: ShallowRef<Refusal | null>
  result: ShallowRef<T | null>
  run(...args: A): Promise<T | null>
}

export function useTask<A extends unknown[], T>(work: (...args: A) => Promise<T>): Task<A, T> {
  const busy = ref(false)
  const refusal = shallowRef<Refusal | null>(null)
  const result: ShallowRef<T | null> = shallowRef(null)
  async function run(...args: A): Promise<T | null> {
    if (busy.value) return null
    busy.value = true
    try {
      const done = await work(...args)
      result.value = done
      refusal.value = null
      return done
    } catch (fault) {
      refusal.value = asRefusal(fault)
      return null
    } finally {
      busy.value = false
    }
  }
  return { busy, refusal, result, run }
}
