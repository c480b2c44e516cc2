/**
 * The platform's own entry. The Container Manager is the main process, which starts all others (API section 5.1.1). Its
 * configuration is described in README.md, and checked by `platformSchema` in config.ts.
 */
export { main, parts, run } from './manager/main.ts'
