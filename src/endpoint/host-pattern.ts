/**
 * Patterns of OpenSSH, in ssh_config's Host and Match lines and in known_hosts: `*` is any run of
 * characters, `?` exactly one, and a `!pattern` that matches excludes whatever the others say.
 */
export function matchesPatterns(patterns: readonly string[], text: string): boolean {
  let matched = false;
  for (const pattern of patterns) {
    if (pattern.startsWith('!')) {
      if (matchesPattern(pattern.slice(1), text)) return false;
    } else if (matchesPattern(pattern, text)) {
      matched = true;
    }
  }
  return matched;
}

/** One pattern without negation. Letters of different case differ: lower both where a host is meant. */
function matchesPattern(pattern: string, text: string): boolean {
  // Two cursors and one place to return to: no regular expression that a hostile pattern could blow up.
  let at = 0;
  let star = -1;
  let resume = 0;
  let i = 0;
  while (i < text.length) {
    if (at < pattern.length && pattern[at] === '*') {
      star = at;
      at += 1;
      resume = i;
    } else if (at < pattern.length && (pattern[at] === '?' || pattern[at] === text[i])) {
      at += 1;
      i += 1;
    } else if (star >= 0) {
      at = star + 1;
      resume += 1;
      i = resume;
    } else {
      return false;
    }
  }
  while (pattern[at] === '*') at += 1;
  return at === pattern.length;
}
