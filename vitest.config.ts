import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

// CI counts results from a file beside what people read.
const json = process.env['GRIDPROOF_TEST_JSON']

export default defineConfig({
  test: {
    include: ['{drivers,sim,bench,scenarios,reports,docs}/**/*.test.ts'],
    reporters: json === undefined ? ['default'] : ['default', ['json', { outputFile: json }]],
    // By itself vitest leaves one core free, which is half of two; our longest tests mostly wait for commands.
    maxWorkers: availableParallelism(),
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
