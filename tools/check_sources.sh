#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Rules that no compiler and no clang-tidy check knows. Prints one line a finding, `file:line: message`, and exits with 1
# if there is any.
#
#   licence    every source file has its SPDX line among the first three lines
#   headers    every header starts with #pragma once (Highway's -inl.hpp files toggle their guards instead)
#   no floats  nothing that a proof depends on may compute in floating point: results must be equal on every machine
#   names      typedef (using says the same), assert (checks are errors that release builds return, too), strcmp and its like
#   edges      a folder of src/ includes only folders that its avow_library() line in CMakeLists.txt names, directly or
#              through those; what links is thereby also all that is included
#   unused     names that a .cpp file takes over (`using a::b;`, `namespace a = b;`) or constants of its own that it never
#              uses: clang-tidy looks for them in files that are compiled alone, and CI's build joins files
#   text       no tabs outside Makefiles, no trailing blanks, no carriage returns
set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C

# Floating point is allowed here, and only here. Each entry has its reason.
float_allowed() {
  case $1 in
    src/pcs/security*) return 0 ;;                    # bits of security are logarithms; they decide nothing in a proof
    src/pcs/cost* | src/pcs/search* | src/pcs/parameters*) return 0 ;;  # the parameter search estimates; its result is data
    src/model/*) return 0 ;;                          # imports weights that are floating point, once; proofs see integers
    src/quantise/*) return 0 ;;                       # rounds those weights, once; bounds are rounded upwards
    apps/*) return 0 ;;                               # seconds and mebibytes for people
    *_test.cpp | *_testing.cpp | *_bench.cpp) return 0 ;;
    *) return 1 ;;
  esac
}

status=0
report() {
  echo "$1"
  status=1
}

folders=()
for folder in src apps tests fuzz bench tools cmake contracts .ci; do
  [ ! -d "$folder" ] || folders+=("$folder")
done
mapfile -t files < <({
  find "${folders[@]}" -name node_modules -prune -o -type f \( -name '*.cpp' -o -name '*.hpp' -o -name '*.h' -o -name '*.cmake' \
    -o -name '*.sh' -o -name '*.py' -o -name '*.sol' -o -name CMakeLists.txt -o -path .ci/run \) -print
  ls CMakeLists.txt Makefile
} | sort)

for file in "${files[@]}"; do
  head -n 3 "$file" | grep -q 'SPDX-License-Identifier: Apache-2.0' ||
    report "$file:1: no SPDX line; the first line of a source file is: // SPDX-License-Identifier: Apache-2.0"
  case $file in
    *-inl.hpp) ;;
    *.hpp | *.h) grep -q '^#pragma once$' "$file" || report "$file:1: header without #pragma once" ;;
  esac
  if [ "$file" != Makefile ] && found=$(grep -nP '\t' "$file"); then
    report "$file:${found%%:*}: tab; indent with spaces"
  fi
  if found=$(grep -nE '[[:blank:]]+$|'$'\r' "$file"); then
    report "$file:${found%%:*}: trailing blank or carriage return"
  fi
done

# C++ without comments, string literals and character literals, keeping the line numbers.
code_of() {
  awk '{
    line = $0
    out = ""
    while (length(line) > 0) {
      if (block) {
        end = index(line, "*/")
        if (end == 0) break
        line = substr(line, end + 2)
        block = 0
      } else if (substr(line, 1, 2) == "//") {
        break
      } else if (substr(line, 1, 2) == "/*") {
        block = 1
        line = substr(line, 3)
      } else if (match(line, /^"([^"\\]|\\.)*"/)) {
        out = out "\"\""
        line = substr(line, RLENGTH + 1)
      } else if (out !~ /[0-9A-Fa-f]$/ && match(line, /^\047([^\047\\]|\\.)[^\047]*\047/)) {
        out = out "0"
        line = substr(line, RLENGTH + 1)
      } else {
        out = out substr(line, 1, 1)
        line = substr(line, 2)
      }
    }
    print out
  }' "$1"
}

for file in "${files[@]}"; do
  case $file in
    *.cpp | *.hpp | *.h) ;;
    *) continue ;;
  esac
  while IFS=: read -r line name; do
    report "$file:$line: $name; tools/check_sources.sh says what to use"
  done < <(code_of "$file" | grep -noE '(^|[^[:alnum:]_])(typedef |assert\(|strn?(case)?cmp\()' || true)
  float_allowed "$file" && continue
  while IFS=: read -r line _; do
    report "$file:$line: floating point outside the folders that tools/check_sources.sh allows; use integers"
  done < <(code_of "$file" | grep -nE '(^|[^[:alnum:]_])(float|double)([^[:alnum:]_]|$)|(^|[^[:alnum:]_.])[0-9][0-9'\'']*\.[0-9]|<cmath>|<cfenv>' || true)
done

for file in "${files[@]}"; do
  [[ $file == *.cpp ]] || continue
  while IFS=: read -r line name; do
    report "$file:$line: $name is not used"
  done < <(code_of "$file" | awk '{
    if (match($0, /^ *using [A-Za-z_:]+;/) && $0 !~ /namespace/) {
      name = substr($0, RSTART, RLENGTH - 1)
      sub(/.*[: ]/, "", name)
    } else if (match($0, /^namespace [A-Za-z_]+ = /)) {
      name = $2
    } else if (match($0, /^(inline )?constexpr .* k[A-Z][A-Za-z0-9]*( =|\[|\{)/)) {
      name = substr($0, RSTART, RLENGTH)
      sub(/( =|\[|\{)$/, "", name)
      sub(/.* /, "", name)
    } else {
      name = ""
    }
    if (name != "" && !(name in line)) line[name] = NR
    count = split($0, words, /[^A-Za-z0-9_]+/)
    for (i = 1; i <= count; i++) uses[words[i]]++
  }
  END { for (name in line) if (uses[name] < 2) print line[name] ":" name }')
done

# Edges. One record `user used kind` for each name in an avow_library() call, then the closure over DEPS.
edges=$(sed 's/#.*//' CMakeLists.txt | tr '\n' ' ' | grep -oE 'avow_library\([^)]*\)' | awk '{
  gsub(/avow_library\(|\)/, " ")
  kind = ""
  for (i = 2; i <= NF; i++) {
    if ($i ~ /^(DEPS|TEST_DEPS|BENCH_DEPS)$/) kind = $i
    else if ($i ~ /^avow_/) print $1, substr($i, 6), kind
  }
  print $1, $1, "DEPS"
}')
while IFS=' ' read -r file line folder used; do
  report "$file:$line: src/$folder includes from src/$used, which its avow_library() line in CMakeLists.txt does not allow"
done < <({
  echo "$edges"
  echo END
  grep -rnoE '^#include "[a-z0-9_]+/' src --include='*.cpp' --include='*.hpp' | sed -E 's/:([0-9]+):#include "(.*)\//\t\1\t\2/'
} | awk '
  !includes && $1 == "END" {
    includes = 1
    do {
      grown = 0
      for (pair in direct) {
        split(pair, p, SUBSEP)
        for (next_pair in direct) {
          split(next_pair, q, SUBSEP)
          if (p[2] == q[1] && !((p[1], q[2]) in direct)) { found[p[1], q[2]] = 1 }
        }
      }
      for (pair in found) { direct[pair] = 1; grown = 1; delete found[pair] }
    } while (grown)
    next
  }
  !includes { folders[$1] = 1; if ($3 == "DEPS") direct[$1, $2] = 1; else extra[$1, $2] = 1; next }
  {
    split($1, path, "/")
    folder = path[2]
    used = $3
    if (!(folder in folders) || (folder, used) in direct) next
    if ($1 ~ /_(test|testing|bench)\.[ch]pp$/) {
      allowed = 0
      for (pair in extra) {
        split(pair, p, SUBSEP)
        if (p[1] == folder && (p[2] == used || (p[2], used) in direct)) allowed = 1
      }
      if (allowed) next
    }
    print $1, $2, folder, used
  }')

[ $status -eq 0 ] && echo "sources: ${#files[@]} files, no findings"
exit $status
