/** Keeps the machine's own functions, as a library that was imported too early would. Loaded with `node --import`. */
import { readFile } from 'node:fs'

export const saved = { setTimeout, setImmediate, readFile, random: Math.random.bind(Math) }
