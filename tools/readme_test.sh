#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A newcomer's path: every command that the README shows in a line of its own, word for word and in order, in a clean clone
# (part of make test-long). But `make test`, which this is a part of, and the installation of git and make. What `make
# devnet` keeps up stays up until the end.
#
#   tools/readme_test.sh [FOLDER]     clones into FOLDER (default: build/readme), which must not be there
#
# Exit codes: 0 all of them work, 1 one does not.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$(realpath -m "${1:-build/readme}")
[ ! -e "$folder" ] || {
  echo "readme: $folder is there already; remove it, or name another one" >&2
  exit 1
}
git clone -q . "$folder"
cd "$folder"

log=$folder/readme.log
devnet=
finish() {
  [ -z "$devnet" ] || kill "$devnet" 2>/dev/null || true
  [ -z "$devnet" ] || wait "$devnet" 2>/dev/null || true
}
trap finish EXIT
trap 'exit 130' INT TERM

fail() {
  tail -20 "$log" >&2
  echo "readme: '$1' does not work; all that was printed is in $log" >&2
  exit 1
}

number=0
while IFS= read -r line; do
  command=${line#    }
  command=${command%%     # *}
  command=${command%"${command##*[! ]}"}
  case $command in "apt-get "* | "make test") continue ;; esac
  echo "readme: $command"
  echo "== $command" >>"$log"
  if [ "$command" = "make devnet" ]; then
    make devnet >>"$log" 2>&1 &
    devnet=$!
    for _ in $(seq 600); do
      sleep 0.5
      kill -0 $devnet 2>/dev/null || fail "$command"
      if grep -q 'are up until Ctrl-C' "$log"; then break; fi
    done
  else
    # In this shell: one of them says which chain the next ones talk to.
    eval "$command" </dev/null >>"$log" 2>&1 || fail "$command"
  fi
  number=$((number + 1))
done < <(awk '/^```/ { quoted = !quoted } !quoted && /^    [a-z.]/ && !/^    prompt / { print }' README.md)
echo "readme: $number commands work"
