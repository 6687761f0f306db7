/** How the pages are built: one entry for each kind of visitor, hashed assets, nothing fetched from elsewhere. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import vue from '@vitejs/plugin-vue'
import { defineConfig, type Plugin } from 'vite'

/** Where `npm run dev` finds the server that `make run` starts. */
const SERVER = 'http://127.0.0.1:8080'
const DIST = 'dist'
/** Smaller files fit one packet as they are. */
const LEAST_BYTES = 1_000

/** Lays a .br and a .gz beside everything that shrinks: the server gives them out and compresses nothing itself. */
function compressed(): Plugin {
  return {
    name: 'compressed',
    apply: 'build',
    closeBundle() {
      const folders = [DIST, join(DIST, 'assets')]
      const files = folders.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
      for (const file of files.filter((name) => /\.(?:html|js|css|svg)$/.test(name))) {
        const whole = readFileSync(file)
        if (whole.length < LEAST_BYTES) continue
        writeFileSync(`${file}.gz`, gzipSync(whole, { level: 9 }))
        writeFileSync(`${file}.br`, brotliCompressSync(whole, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: whole.length } }))
      }
    },
  }
}

export default defineConfig({
  plugins: [vue(), compressed()],
  // Pages live at the root of the server; assets are found from any depth of route.
  base: '/',
  build: {
    outDir: DIST,
    manifest: true,
    // Older phones in WeChat's browser still have to read it.
    target: ['chrome87', 'safari14', 'firefox78'],
    // A data: URL would need a wider content security policy.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rolldownOptions: { input: { learn: 'learn.html', desk: 'desk.html' } },
  },
  server: {
    proxy: {
      '/api': SERVER,
      '/media': SERVER,
      '/socket.io': { target: SERVER, ws: true },
    },
  },
})
