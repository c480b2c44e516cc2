/** A way to break the reference platform on purpose, or to be different within the rules. */

/** Programs of the reference platform that can be wrapped, and the host that they run on. */
export type AppId =
  | 'gridkey-app'
  | 'temperature-app'
  | 'marketplace'
  | 'container-manager'
  | 'csv-recorder'
  | 'maintenance'
  | 'data-storage'
  | 'han-logger'
  | 'upload-app'
  | 'comms-app'
  | 'peer-app'
  | 'meshing-app'
  | 'predictor-app'
  | 'dtr-app'
  | 'loadsense-app'
  | 'watchdog'
  | 'upload-server'
  | 'host'
  | 'data-server'

export interface Defect<P> {
  /** `<app>/<what it does>`. */
  readonly id: string
  readonly app: AppId
  /**
   * `defect`: breaks a requirement, so that a check must fail. `variant`: another legal way, so that every check must pass.
   * `mutation`: one untailored change; whether a check sees it is reported.
   */
  readonly kind: 'defect' | 'variant' | 'mutation'
  /** One plain sentence. */
  readonly describes: string
  /**
   * The parts, wrapped; state lives in the call, one for each start of the program. `reached` is called when the
   * difference comes to bear; a mutation says what it changed.
   */
  wrap(parts: P, reached: (what?: string) => void): P
}

/** Makes the defects of one app; `describes` and `wrap` by name. */
export function listOf<P>(
  app: AppId,
  kind: 'defect' | 'variant',
  entries: Readonly<Record<string, readonly [describes: string, wrap: Defect<P>['wrap']]>>,
): readonly Defect<P>[] {
  return Object.entries(entries).map(([name, [describes, wrap]]) => ({
    id: `${app}/${name}`,
    app,
    kind,
    describes,
    wrap,
  }))
}
