/**
 * Decides whether the trainee's first load is still small enough for an old phone on a village network:
 * the scripts and styles that learn.html needs before it shows anything, gzipped, must stay under the limit,
 * and nothing of the desk may be among them. Reads dist/.vite/manifest.json; run it after a build.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

const LIMIT_KB = 60
const DIST = join(import.meta.dirname, 'dist')

/** Everything the entry pulls in before its first paint: static imports and their styles, each once. */
function initialFiles(manifest, key, seen = new Set()) {
  const chunk = manifest[key]
  if (seen.has(chunk.file)) return seen
  seen.add(chunk.file)
  for (const style of chunk.css ?? []) seen.add(style)
  for (const next of chunk.imports ?? []) initialFiles(manifest, next, seen)
  return seen
}

const manifest = JSON.parse(readFileSync(join(DIST, '.vite', 'manifest.json'), 'utf8'))
let total = 0
for (const file of initialFiles(manifest, 'learn.html')) {
  const bytes = gzipSync(readFileSync(join(DIST, file)), { level: 9 }).length
  total += bytes
  console.log(`${(bytes / 1024).toFixed(1).padStart(8)} KB  ${file}`)
}
console.log(`${(total / 1024).toFixed(1).padStart(8)} KB  learn.html before first paint, limit ${LIMIT_KB} KB`)
if (total > LIMIT_KB * 1024) {
  console.error('learn is too large: load the new part lazily, or do without it')
  process.exit(1)
}
