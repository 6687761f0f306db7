/** The strips of one lesson, asked again while a minute of them is not sealed yet. */
import { onMounted, onUnmounted } from 'vue'
import { useTask } from '../ui/useTask'
import { get } from '../wire/http'
import type { Strips } from '../wire/types'

const AGAIN_MS = 20_000

export const unsealed = (strips: Strips): boolean => strips.rows.some((row) => row.cells.some((cell) => !cell.sealed))

export function useStrips(lesson: string) {
  const task = useTask(() => get<Strips>(`/lessons/${lesson}/strips`))
  let timer: ReturnType<typeof setInterval>
  onMounted(() => {
    void task.run()
    timer = setInterval(() => {
      const known = task.result.value
      if (document.visibilityState === 'visible' && known && (unsealed(known) || known.lesson.state !== 'ended')) void task.run()
    }, AGAIN_MS)
  })
  onUnmounted(() => { clearInterval(timer) })
  return task
}
