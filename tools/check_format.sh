#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Says which lines clang-format would lay out otherwise (exit code 1 if any); with --fix, does it. The reference is
# version 14, Debian 12's: later ones break a few lines differently, so with those the answer is only advice.
set -euo pipefail
cd "$(dirname "$0")/.."

folders=()
for folder in src apps tests fuzz bench; do
  [ ! -d "$folder" ] || folders+=("$folder")
done
mapfile -t files < <(find "${folders[@]}" -name '*.[ch]pp' | sort)

version=$(clang-format --version | sed -E 's/.*version ([0-9]+).*/\1/')

if [ "${1:-}" = --fix ]; then
  clang-format -i "${files[@]}"
elif clang-format --dry-run -Werror "${files[@]}"; then
  echo "format: ${#files[@]} files, no findings"
elif [ "$version" != 14 ]; then
  echo "format: advice only, as clang-format is version $version and not 14"
else
  echo "format: 'make format' lays these files out" >&2
  exit 1
fi
