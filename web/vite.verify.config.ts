/** How 核验.html is built: one file with everything in it, which opens with a double click. Runs after vite.config.ts. */
import vue from '@vitejs/plugin-vue'
import { defineConfig, type Plugin } from 'vite'

/** Puts the script and the style into the page and drops their files. */
function oneFile(): Plugin {
  return {
    name: 'one-file',
    enforce: 'post',
    generateBundle(_options, bundle) {
      const page = bundle['verify.html']
      if (page?.type !== 'asset') throw new Error('verify.html was not built')
      let [script, style] = ['', '']
      for (const [name, file] of Object.entries(bundle)) {
        if (file.type === 'chunk') script += file.code
        else if (name.endsWith('.css')) style += String(file.source)
        if (name !== 'verify.html') Reflect.deleteProperty(bundle, name)
      }
      const html = String(page.source).replace(/\s*<script[^>]*><\/script>/g, '').replace(/\s*<link[^>]*>/g, '')
      page.source = html
        .replace('</head>', () => `<style>${style}</style>\n  </head>`)
        .replace('</body>', () => `<script type="module">${script.replaceAll('</script', '<\\/script')}</script>\n  </body>`)
    },
  }
}

export default defineConfig({
  plugins: [vue(), oneFile()],
  build: {
    outDir: 'dist',
    emptyOutDir: false,
    target: ['chrome87', 'safari14', 'firefox78'],
    cssCodeSplit: false,
    reportCompressedSize: false,
    rolldownOptions: { input: { verify: 'verify.html' } },
  },
})
