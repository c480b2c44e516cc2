/**
 * Lets scenario files anywhere on this machine import the bench by its name, `import { scenario } from 'gridproof'`, and be
 * taken for TypeScript modules without a package.json beside them. No package needs to be installed where they are.
 */
import { registerHooks } from 'node:module'

const index = new URL('../index.ts', import.meta.url).href

/** In force until it is disposed. */
export function ownName(): Disposable {
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      if (specifier === 'gridproof') return { url: index, format: 'module-typescript', shortCircuit: true }
      const found = next(specifier, context)
      const typeless = found.format === undefined || found.format === null
      return typeless && found.url.startsWith('file:') && /\.ts(\?|$)/.test(found.url)
        ? { ...found, format: 'module-typescript' }
        : found
    },
  })
  return { [Symbol.dispose]: () => hooks.deregister() }
}
