import type { Case, Step } from '../model/check.ts';

/**
 * What is wrong with a plan, in words; undefined for a sound one. A plan is sound when its ids are unique,
 * its actors are declared, it refers to steps that exist, and no step waits for itself.
 */
export function planFault(plan: Case, steps: readonly Step[]): string | undefined {
  const byId = new Map<string, Step>();
  for (const step of steps) {
    if (byId.has(step.id)) return `two steps are called "${step.id}"`;
    if (!Object.hasOwn(plan.actors, step.actor))
      return `step "${step.id}" is of "${step.actor}", who is no actor`;
    byId.set(step.id, step);
  }
  const before = new Map<string, string[]>();
  const lastOf = new Map<string, string>();
  for (const step of steps) {
    const previous = lastOf.get(step.actor);
    const list = previous === undefined ? [] : [previous];
    for (const each of step.after ?? []) {
      if (!byId.has(each.step)) return `step "${step.id}" comes after "${each.step}", which does not exist`;
      list.push(each.step);
    }
    before.set(step.id, list);
    lastOf.set(step.actor, step.id);
  }
  return circleIn(before);
}

/** Depth-first; `open` holds the way down, so meeting it again is a circle. */
function circleIn(before: ReadonlyMap<string, readonly string[]>): string | undefined {
  const done = new Set<string>();
  const open = new Set<string>();
  const visit = (id: string): string | undefined => {
    if (done.has(id)) return undefined;
    if (open.has(id)) return `step "${id}" waits for itself`;
    open.add(id);
    for (const each of before.get(id) ?? []) {
      const fault = visit(each);
      if (fault !== undefined) return fault;
    }
    open.delete(id);
    done.add(id);
    return undefined;
  };
  for (const id of before.keys()) {
    const fault = visit(id);
    if (fault !== undefined) return fault;
  }
  return undefined;
}
