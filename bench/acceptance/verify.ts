/** Whether evidence is as it was when it was signed: every digest, the signature, and the chain of each run's logs. */
import { existsSync, readFileSync } from 'node:fs'
import type { KeyObject } from 'node:crypto'
import { join } from 'node:path'
import { GridproofError, messageOf } from '../../drivers/errors.ts'
import { readLog } from '../evidence/read.ts'
import type { Log } from '../evidence/read.ts'
import { runRecordOf } from '../verdicts/record.ts'
import { digestFile, filesBelow } from './digest.ts'
import { keyidOf, publicKeyOf } from './keys.ts'
import { envelopeFile, opened, publicKeyFile, readStatement, statementFile } from './statement.ts'
import type { Statement } from './statement.ts'

export interface Fault {
  /** Path below the folder. */
  readonly file: string
  readonly what: 'changed' | 'missing' | 'added' | 'signature' | 'chain'
  readonly why: string
}

export interface Verified {
  readonly faults: readonly Fault[]
  /** What is no sign of tampering, and worth knowing: logs that were cut short as they were written. */
  readonly remarks: readonly string[]
  /** Files whose digest was compared. */
  readonly compared: number
  /** Logs whose chain was followed. */
  readonly chained: number
  /** Whose signature holds: nobody's, that of the key in the folder itself, or that of the key given. */
  readonly signed: 'no' | 'enclosed key' | 'given key'
  /** SHA-256 of the public key. */
  readonly keyid?: string
  readonly result?: Statement['predicate']['result']
}

/**
 * Verifies an acceptance, or a run (of which only the chain of its logs is known). Never throws for what stands in it;
 * throws `usage` where the folder is neither.
 */
export function verifyFolder(folder: string, key?: KeyObject): Verified {
  if (existsSync(join(folder, envelopeFile)) || existsSync(join(folder, statementFile)))
    return verifyAcceptance(folder, key)
  if (existsSync(join(folder, 'acceptance.json')))
    return {
      faults: [{ file: envelopeFile, what: 'missing', why: 'the statement that holds the digests is gone' }],
      remarks: [],
      compared: 0,
      chained: 0,
      signed: 'no',
    }
  if (!existsSync(join(folder, 'log.jsonl')))
    throw new GridproofError('usage', `'${folder}' is neither an acceptance nor a run`)
  const chain = chainOf(folder, '')
  return { faults: chain.faults, remarks: chain.remarks, compared: 0, chained: chain.logs, signed: 'no' }
}

function verifyAcceptance(folder: string, key: KeyObject | undefined): Verified {
  const faults: Fault[] = []
  const said = statementIn(folder, key, faults)
  if (said.statement === undefined) return { faults, remarks: [], compared: 0, chained: 0, signed: 'no' }
  const listed = new Map(said.statement.subject.map((s) => [s.name, s.digest.sha256]))
  const there = filesBelow(folder)
  for (const file of there.strange)
    faults.push({ file, what: 'added', why: 'it is a link or something else that is no file' })
  const files = new Set(there.files)
  for (const file of files)
    if (!listed.has(file) && file !== said.file)
      faults.push({ file, what: 'added', why: 'it was not there when the statement was made' })
  for (const [file, sha256] of listed) {
    if (!files.has(file)) {
      faults.push({ file, what: 'missing', why: 'it was there when the statement was made' })
      continue
    }
    try {
      if (digestFile(join(folder, file)).sha256 !== sha256)
        faults.push({ file, what: 'changed', why: 'it is not the file that the statement is about' })
    } catch (e) {
      faults.push({ file, what: 'missing', why: `it cannot be read: ${messageOf(e)}` })
    }
  }
  let chained = 0
  const remarks: string[] = []
  for (const log of [...listed.keys()].filter((f) => /^runs\/[^/]+\/log\.jsonl$/.test(f) && files.has(f))) {
    const chain = chainOf(folder, log.slice(0, -'log.jsonl'.length))
    chained += chain.logs
    faults.push(...chain.faults)
    remarks.push(...chain.remarks)
  }
  return {
    faults: unique(faults),
    remarks,
    compared: listed.size,
    chained,
    signed: said.signed,
    ...(said.keyid === undefined ? {} : { keyid: said.keyid }),
    result: said.statement.predicate.result,
  }
}

interface Said {
  readonly statement?: Statement
  readonly file: string
  readonly signed: Verified['signed']
  readonly keyid?: string
}

function statementIn(folder: string, key: KeyObject | undefined, faults: Fault[]): Said {
  const file = existsSync(join(folder, envelopeFile)) ? envelopeFile : statementFile
  const wrong = (why: string): void => void faults.push({ file, what: 'signature', why })
  try {
    const text = readFileSync(join(folder, file), 'utf8')
    if (file === statementFile) {
      if (key !== undefined) wrong('it is not signed, and a key was given')
      return { statement: readStatement(text, file), file, signed: 'no' }
    }
    const by = key ?? enclosedKey(folder, faults)
    if (by === undefined) return { file, signed: 'no' }
    const { statement, problem } = opened(text, file, by)
    if (problem !== undefined) {
      wrong(problem)
      return { statement, file, signed: 'no' }
    }
    return { statement, file, signed: key === undefined ? 'enclosed key' : 'given key', keyid: keyidOf(by) }
  } catch (e) {
    wrong(messageOf(e))
    return { file, signed: 'no' }
  }
}

/** The public key that lies beside the statement; without it, or where it is none any more, a fault. */
function enclosedKey(folder: string, faults: Fault[]): KeyObject | undefined {
  const path = join(folder, publicKeyFile)
  const file = publicKeyFile
  if (!existsSync(path)) {
    faults.push({ file, what: 'missing', why: "it is gone; give the operator's public key by --key" })
    return undefined
  }
  try {
    return publicKeyOf(readFileSync(path, 'utf8'), file)
  } catch (e) {
    faults.push({ file, what: 'changed', why: messageOf(e) })
    return undefined
  }
}

interface Chain {
  readonly faults: readonly Fault[]
  readonly remarks: readonly string[]
  readonly logs: number
}

/**
 * Follows a run: its log names the digest of each scenario's; in each, line n holds event n, from header to trailer. A
 * log that ends too early is a remark: whoever wrote it died, and what is there may be whole.
 */
function chainOf(folder: string, below: string): Chain {
  const faults: Fault[] = []
  const remarks: string[] = []
  const broken = (file: string, why: string): void =>
    void faults.push({ file: `${below}${file}`, what: 'chain', why })
  const cut = (file: string, log: Log): void => {
    if (log.torn !== undefined)
      remarks.push(`${below}${file} ends within line ${log.torn.line}: it was cut short`)
    else if (log.cutShort) remarks.push(`${below}${file} has no trailer: it was cut short`)
  }
  const log = readLog(join(folder, `${below}log.jsonl`))
  let run
  try {
    run = runRecordOf(log)
    cut('log.jsonl', log)
  } catch (e) {
    broken('log.jsonl', messageOf(e))
    return { faults, remarks, logs: 1 }
  }
  let logs = 1
  // Tries that do not count are evidence too: they say why they do not.
  for (const step of [...[...run.earlier.values()].flat(), ...run.ended.values()]) {
    if (typeof step.sha256 !== 'string') continue
    const { file } = step
    if (typeof file !== 'string' || !/^data\/[^/\\]+$/.test(file)) {
      broken('log.jsonl', 'it names a log that is not in data/')
      continue
    }
    logs++
    try {
      if (digestFile(join(folder, below, file)).sha256 !== step.sha256)
        broken(file, "it is not the log whose digest stands in the run's log")
      const scenario = readLog(join(folder, below, file))
      for (const e of scenario) void e
      cut(file, scenario)
    } catch (e) {
      broken(file, messageOf(e))
    }
  }
  return { faults, remarks, logs }
}

/** One fault for each file and kind: the first told. */
function unique(faults: readonly Fault[]): Fault[] {
  return [...new Map(faults.toReversed().map((f) => [`${f.file}\0${f.what}`, f])).values()].toReversed()
}
