#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Builds the fuzzers and runs each for FUZZ_SECONDS (default 30), starting from the seeds in fuzz/corpus/<name>/ and from
# what earlier runs found. New inputs go to build/fuzz/corpus/<name>/, an input that breaks something to
# build/fuzz/artifacts/<name>/.
#
#   tools/fuzz.sh [name...]       default: every target
#
# FUZZ_PRESET (default fuzz) names the preset whose build has the fuzzers.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${FUZZ_SECONDS:-30}
mkdir -p build
preset=${FUZZ_PRESET:-fuzz}
cmake --preset "$preset" >build/fuzz-configure.log 2>&1 || { cat build/fuzz-configure.log >&2; exit 1; }
cmake --build --preset "$preset" --target fuzzers

names=("$@")
if [ ${#names[@]} -eq 0 ]; then
  for source in fuzz/*_fuzz.cpp; do
    [ -e "$source" ] || { echo "fuzz: no targets"; exit 0; }
    names+=("$(basename "$source" _fuzz.cpp)")
  done
fi

failed=0
for name in "${names[@]}"; do
  work=build/fuzz/corpus/$name
  artifacts=build/fuzz/artifacts/$name
  log=build/fuzz/$name.log
  mkdir -p "$work" "$artifacts"
  corpora=("$work")
  [ ! -d "fuzz/corpus/$name" ] || corpora+=("fuzz/corpus/$name")
  if "build/$preset/fuzz/${name}_fuzz" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$artifacts/" "${corpora[@]}" >"$log" 2>&1 </dev/null; then
    runs=$(awk '/stat::number_of_executed_units/ { print $2 }' "$log")
    echo "fuzz: $name: ok, $runs inputs in $seconds s"
  else
    failed=1
    tail -n 60 "$log"
    echo "fuzz: $name: FAILED, input in $artifacts/; again with: build/$preset/fuzz/${name}_fuzz $artifacts/<file>"
  fi
done
exit $failed
