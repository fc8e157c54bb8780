/** The page's colours of a ledger's lines, by the medium that names them. The words beside them say the same. */
export function sourceColor(source: string): string {
  if (source === 'guest-cache') return 'var(--guest-cache)';
  if (source.endsWith('/host-cache')) return 'var(--host-cache)';
  if (source.endsWith('/disk')) return 'var(--disk)';
  if (source.endsWith('/hole')) return 'var(--hole)';
  return 'var(--unexplained)';
}
