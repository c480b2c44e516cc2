#!/usr/bin/env node
// Plain JavaScript that any Node can read, so that a Node too old is told so in one plain sentence.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 24 || (major === 24 && minor < 12)) {
  process.stderr.write(
    `Gridproof needs Node 24.12 or later and this is ${process.version}: start it with 'npx gridproof' or 'npm start' in the project, which brings its own Node with 'npm ci'.\n`,
  )
  process.exit(2)
}
process.removeAllListeners('warning')
process.on('warning', (w) => {
  // node:sqlite and type stripping announce themselves as experimental on some versions: nothing that a user can act on.
  if (w.name !== 'ExperimentalWarning') process.stderr.write(`${w.name}: ${w.message}\n`)
})
const { enableCompileCache } = await import('node:module')
enableCompileCache()
const { perform } = await import('./main.ts')
await perform()
