/**
 * Lays a .br and a .gz beside every built file that shrinks: the server gives them out and compresses nothing itself.
 * Run by `npm run build`, after Vite.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

const DIST = join(import.meta.dirname, 'dist')
/** Smaller files fit one packet as they are. */
const LEAST_BYTES = 1_000

const files = [DIST, join(DIST, 'assets')].flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
for (const file of files.filter((name) => /\.(?:html|js|css|svg)$/.test(name))) {
  const whole = readFileSync(file)
  if (whole.length < LEAST_BYTES) continue
  writeFileSync(`${file}.gz`, gzipSync(whole, { level: 9 }))
  writeFileSync(`${file}.br`, brotliCompressSync(whole, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: whole.length } }))
}
