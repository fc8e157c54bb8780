/** A daemon that misbehaves, and what the checks make of it: the rows of the suite's table. */
export interface Told {
  /** The mode in which it is served. */
  readonly policy: string;
  /** The case (`check/case`) → the code of its fail, or several, joined by |. */
  readonly fails: Readonly<Record<string, string>>;
}

/** A case of a check that was shown failing. */
export interface Shown {
  readonly check: string;
  readonly case: string;
  readonly code: string;
  /** The misbehaviour in words. */
  readonly by: string;
}

/** One row for each case and code. @param by what the daemon does, for a reader. */
export function shownBy({ fails }: Pick<Told, 'fails'>, by: string): readonly Shown[] {
  return Object.entries(fails).flatMap(([text, codes]) => {
    const [check = '', name = ''] = text.split('/', 2);
    return codes.split('|').map((code) => ({ check, case: name, code, by }));
  });
}
