/** The shells that we complete for. */
export const shells = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof shells)[number];

// Each asks `vfs-verify complete -- WORDS` what could stand in the place of the last word. A line of the answer is a
// word, a tab and what it means; the line ":files" asks for the shell's own completion of file names. After a word
// that ends in = , : or / more is to be typed: no space.

/** Bash cuts words at =, : and @, and replaces only what is behind the last of them. */
const bash = `# vfs-verify in bash: source <(vfs-verify completion bash)
_vfs_verify() {
  local line=\${COMP_LINE:0:COMP_POINT} breaks=\${COMP_WORDBREAKS//[^=:@]/} value means word before=
  local -a words
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  word=\${words[-1]}
  [[ -n $breaks ]] && before=\${word%"\${word##*[$breaks]}"}
  COMPREPLY=()
  while IFS=$'\\t' read -r value means; do
    case $value in
      :files) compopt -o default ;;
      *[=:,/]) compopt -o nospace; COMPREPLY+=("\${value#"$before"}") ;;
      *) COMPREPLY+=("\${value#"$before"}") ;;
    esac
  done < <(vfs-verify complete -- "\${words[@]:1}" 2>/dev/null)
}
complete -F _vfs_verify vfs-verify
`;

const zsh = `#compdef vfs-verify
# vfs-verify in zsh: a file _vfs-verify in $fpath, or: source <(vfs-verify completion zsh)
_vfs-verify() {
  local line value means files=
  local -a whole open
  for line in "\${(@f)$(vfs-verify complete -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)}"; do
    value=\${line%%$'\\t'*}
    means=\${line#*$'\\t'}
    [[ $means == $line ]] && means=
    case $value in
      '') ;;
      :files) files=1 ;;
      *[=:,/]) open+=("\${value//:/\\\\:}:$means") ;;
      *) whole+=("\${value//:/\\\\:}:$means") ;;
    esac
  done
  (( $#whole )) && _describe vfs-verify whole
  (( $#open )) && _describe vfs-verify open -S ''
  [[ -n $files ]] && _files
}
if [[ \${funcstack[1]} == _vfs-verify ]]; then _vfs-verify "$@"; else compdef _vfs-verify vfs-verify; fi
`;

const fish = `# vfs-verify in fish: vfs-verify completion fish > ~/.config/fish/completions/vfs-verify.fish
function __vfs_verify_complete
  set -l before (commandline -opc)
  set -l current (commandline -ct)
  test -n "$current"; or set current ''
  for line in (vfs-verify complete -- $before[2..-1] $current 2>/dev/null)
    if test "$line" = :files
      __fish_complete_path $current
    else
      echo $line
    end
  end
end
complete -c vfs-verify -f -a '(__vfs_verify_complete)'
`;

/** What a shell reads to complete our commands. */
export const scripts: Readonly<Record<Shell, string>> = { bash, zsh, fish };
