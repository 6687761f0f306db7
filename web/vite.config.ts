/** How the pages are built: one entry for each kind of visitor, hashed assets, nothing fetched from elsewhere. */
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'

/** Where `npm run dev` finds the server that `make run` starts. */
const SERVER = 'http://127.0.0.1:8080'

export default defineConfig({
  plugins: [vue()],
  // Pages live at the root of the server; assets are found from any depth of route.
  base: '/',
  // No page is written in Vue's older way: what only that needs stays out.
  define: { __VUE_OPTIONS_API__: 'false' },
  build: {
    outDir: 'dist',
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
