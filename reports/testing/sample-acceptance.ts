/** The page of an acceptance with a bit of everything, for tests: made from the sample run and made-up records. */
import { merge } from '../../bench/acceptance/merge.ts'
import type { RecordInput } from '../../bench/acceptance/faces.ts'
import type { RecordVerdict } from '../../bench/acceptance/record.ts'
import { loadCatalogue, shippedCatalogue } from '../../bench/requirements/load.ts'
import { revisionOf } from '../../bench/requirements/revision.ts'
import { acceptancePage } from '../acceptance/page.ts'
import { runInput } from '../acceptance/run-input.ts'
import { subject } from './sample-run.ts'

/** `folder` holds the sample run. One record is hostile: what it says must stay text. */
export function sampleAcceptance(folder: string): string {
  const catalogue = loadCatalogue(shippedCatalogue)
  const revisions = Object.fromEntries(catalogue.requirements.map((r) => [r.id, revisionOf(r)]))
  const { header, ...run } = runInput('sample', '.', folder, catalogue)
  if (header === undefined) throw new Error('the sample run has no header')
  const record = (
    requirement: string,
    verdict: RecordVerdict,
    minute: number,
    note: string,
    revision = revisions[requirement] ?? '',
  ): RecordInput => ({
    id: `record-${minute}`,
    folder: `records/record-${minute}`,
    problems: [],
    record: {
      format: 'gridproof-record/1',
      requirement,
      clauses: catalogue.clausesOf(requirement),
      verdict,
      by: 'A. Fitter',
      note,
      at: new Date(Date.UTC(2026, 1, 4, 10, minute)).toISOString(),
      revision,
      subject: minute % 2 === 0 ? subject : null,
      attachments: [
        {
          name: 'photo of a lock.jpg',
          file: `attachments/${'c'.repeat(64)}.jpg`,
          bytes: 9,
          sha256: 'c'.repeat(64),
        },
      ],
      bench: '0.1.0',
    },
  })
  const acceptance = merge(
    [{ ...run, header: { ...header, revisions } }],
    [
      record('M:005', 'fail', 1, 'One lock was open'),
      record('M:005', 'pass', 2, 'Two locks, one key; hinges inside'),
      record('M:006', 'pass', 3, '<script>alert(1)</script><b>IP 54</b> \u202e as marked'),
      record('M:0024', 'waived', 4, 'The long run follows in summer'),
      record('M:001', 'pass', 5, 'An industrial PC', 'd'.repeat(64)),
    ],
    {
      catalogue,
      subject,
      scenarios: new Map(),
      now: Date.UTC(2026, 1, 5),
      bench: '0.1.0',
      commit: '614fed8a0b1c',
    },
  )
  return acceptancePage({
    acceptance,
    files: [{ file: 'runs/sample/log.jsonl', bytes: 1234, sha256: 'e'.repeat(64) }],
    keyid: 'f'.repeat(64),
  })
}
