import { createRequire } from 'node:module';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

const compiled = new Map<string, ValidateFunction>();

/** What is wrong with a report by the published schema, a line each; empty for a sound one. */
export function reportFaults(value: unknown): readonly string[] {
  return faults(value, './report.schema.json');
}

/** The same of what `doctor --json` prints. */
export function doctorFaults(value: unknown): readonly string[] {
  return faults(value, './doctor.schema.json');
}

/** A schema is compiled at its first use, because a run that prints text never needs it. */
function faults(value: unknown, schema: string): readonly string[] {
  const validate = compiled.get(schema) ?? compile(schema);
  compiled.set(schema, validate);
  if (validate(value)) return [];
  return (validate.errors ?? []).map(({ instancePath, message, params }) => {
    const which = 'additionalProperty' in params ? ` ("${params.additionalProperty}")` : '';
    return `${instancePath === '' ? 'the report' : instancePath} ${message ?? 'is wrong'}${which}`;
  });
}

function compile(schema: string): ValidateFunction {
  const ajv = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true, strictRequired: false });
  // require: import attributes for JSON make Node 20 print a warning to every user.
  return ajv.compile(createRequire(import.meta.url)(schema));
}
