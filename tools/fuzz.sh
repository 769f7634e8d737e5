#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Builds the fuzzers and runs each for FUZZ_SECONDS (default 30), starting from the seeds in fuzz/corpus/<name>/ and from
# what earlier runs found. New inputs go to build/fuzz/corpus/<name>/, an input that breaks something to
# build/fuzz/artifacts/<name>/.
#
#   tools/fuzz.sh [name...]       default: every target
#
# FUZZ_PRESET (default fuzz) names the preset whose build has the fuzzers; FUZZ_JOBS (default 2) fuzzers run at a time.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${FUZZ_SECONDS:-30}
jobs=${FUZZ_JOBS:-2}
[[ $jobs =~ ^[1-9][0-9]*$ ]] || { echo "fuzz: FUZZ_JOBS is '$jobs', not a number from 1" >&2; exit 2; }
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

# Runs one fuzzer; its line comes in one write, after what a failure has to show.
run_one() {
  local name=$1 work=build/fuzz/corpus/$1 artifacts=build/fuzz/artifacts/$1 log=build/fuzz/$1.log
  mkdir -p "$work" "$artifacts"
  local corpora=("$work")
  [ ! -d "fuzz/corpus/$name" ] || corpora+=("fuzz/corpus/$name")
  # In the background, as a trap would otherwise run only when the fuzzer ends.
  trap 'kill "$!" 2>/dev/null; exit 1' INT TERM
  "build/$preset/fuzz/${name}_fuzz" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$artifacts/" "${corpora[@]}" >"$log" 2>&1 </dev/null &
  if wait "$!"; then
    echo "fuzz: $name: ok, $(awk '/stat::number_of_executed_units/ { print $2 }' "$log") inputs in $seconds s"
  else
    printf '%s\n%s\n' "$(tail -n 60 "$log")" \
      "fuzz: $name: FAILED, input in $artifacts/; again with: build/$preset/fuzz/${name}_fuzz $artifacts/<file>"
    return 1
  fi
}

running=()
stop() {
  trap - INT TERM
  [ ${#running[@]} -eq 0 ] || kill "${running[@]}" 2>/dev/null || true
  wait
  exit 130
}
trap stop INT TERM

failed=0
# Waits until fewer than $1 fuzzers run.
wait_below() {
  local ended pid left
  while [ ${#running[@]} -ge "$1" ] && [ ${#running[@]} -gt 0 ]; do
    wait -n -p ended "${running[@]}" || failed=1
    left=()
    for pid in "${running[@]}"; do [ "$pid" = "$ended" ] || left+=("$pid"); done
    running=("${left[@]}")
  done
}
for name in "${names[@]}"; do
  wait_below "$jobs"
  run_one "$name" &
  running+=($!)
done
wait_below 1
exit $failed
