/** Unit tests of what needs no browser: state, catalogues, wire. */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: { include: ['src/**/*.test.ts'], environment: 'node', passWithNoTests: true },
})
