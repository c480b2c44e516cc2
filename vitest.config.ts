import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['{drivers,sim,bench,scenarios,reports,docs}/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
