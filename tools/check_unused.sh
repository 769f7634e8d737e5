#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Unused using-declarations, namespace aliases, variables and constants: clang and clang-tidy look for them in the file that
# is compiled alone, not in what it includes, so the joined build of the ci-clang preset cannot find them. Every file is
# parsed by itself, for these checks only. `make lint` needs none of this, as its preset compiles file by file.
set -euo pipefail
cd "$(dirname "$0")/.."

mkdir -p build
cmake --preset ci-clang -B build/unused -DCMAKE_UNITY_BUILD=OFF >build/unused.log 2>&1 || { cat build/unused.log >&2; exit 1; }
sed -nE 's/^ *"file": "(.*)",?$/\1/p' build/unused/compile_commands.json | sort -u >build/unused.txt
[ -s build/unused.txt ] || { echo "unused: no files" >&2; exit 1; }
xargs -a build/unused.txt -d '\n' -n 4 -P "${UNUSED_JOBS:-2}" clang-tidy --quiet -p build/unused \
  --checks='-*,misc-unused-using-decls,misc-unused-alias-decls,clang-diagnostic-unused-*' 2>&1 |
  { grep -vE '^[0-9]+ warnings? (and [0-9]+ errors? )?generated\.$' || true; }
echo "unused: $(wc -l <build/unused.txt) files, no findings"
