import { createRequire } from 'node:module';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

let compiled: ValidateFunction | undefined;

/**
 * What is wrong with a report by the published schema, a line each; empty for a sound one. The schema is
 * compiled at the first call, because a run that prints text never needs it.
 */
export function reportFaults(value: unknown): readonly string[] {
  // require: import attributes for JSON make Node 20 print a warning to every user.
  compiled ??= new Ajv2020({
    allErrors: true,
    strict: true,
    allowUnionTypes: true,
    strictRequired: false,
  }).compile(createRequire(import.meta.url)('./report.schema.json'));
  if (compiled(value)) return [];
  return (compiled.errors ?? []).map(({ instancePath, message, params }) => {
    const which = 'additionalProperty' in params ? ` ("${params.additionalProperty}")` : '';
    return `${instancePath === '' ? 'the report' : instancePath} ${message ?? 'is wrong'}${which}`;
  });
}
