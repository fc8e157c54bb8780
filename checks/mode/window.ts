import type { Setting } from '../../src/model/check.ts';
import { hasWindow } from '../../src/model/mode.ts';

/**
 * For cases in which the guest touches, through its window, what the host has no storage for any more: cut off, or
 * a hole on a full disk. The host's kernel then ends the virtual machine (SIGBUS), which nobody asked for.
 */
export function withoutWindow({ mode }: Setting): boolean {
  return !hasWindow(mode);
}
