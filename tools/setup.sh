#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Installs the Debian packages that are missing; nothing to do means no network, no root.
#
#   tools/setup.sh [group...]     groups of tools/packages.txt, or "all"; default: build
#
# Exit codes: 0 everything is there, 2 wrong use, 3 packages are missing and cannot be installed from here.
set -euo pipefail
cd "$(dirname "$0")/.."

list=tools/packages.txt
groups=("$@")
[ ${#groups[@]} -gt 0 ] || groups=(build)

wanted=()
for group in "${groups[@]}"; do
  mapfile -t packages < <(awk -v group="$group" '$1 !~ /^#/ && NF >= 2 && (group == "all" || $1 == group) { print $2 }' "$list")
  if [ ${#packages[@]} -eq 0 ]; then
    echo "setup: no group '$group' in $list" >&2
    exit 2
  fi
  wanted+=("${packages[@]}")
done

if ! command -v dpkg-query >/dev/null; then
  echo "setup: not a Debian system; the counterparts of these packages are needed: ${wanted[*]}" >&2
  exit 0
fi

# Virtual names (Debian 13 provides pkg-config by pkgconf) count as installed, too.
installed=$(dpkg-query -W -f '${db:Status-Status} ${Package} ${Provides}\n' |
  awk '$1 == "installed" { gsub(/,|\([^)]*\)/, " "); for (i = 2; i <= NF; i++) print $i }')
missing=()
while read -r package; do
  grep -qxF -- "$package" <<<"$installed" || missing+=("$package")
done < <(printf '%s\n' "${wanted[@]}" | sort -u)
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  # Ask for a password only where somebody can type it.
  if command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
    as_root=(sudo)
  else
    echo "setup: packages are missing and there is neither root nor sudo. As root, run:" >&2
    echo "apt-get update && apt-get install -y --no-install-recommends ${missing[*]}" >&2
    exit 3
  fi
fi

echo "setup: installing ${missing[*]}"
apt_get() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" </dev/null
}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt_get update >"$log" 2>&1 || echo "setup: the package lists could not be refreshed; trying with those that are there" >&2
if ! apt_get install -y --no-install-recommends "${missing[@]}" >>"$log" 2>&1; then
  cat "$log" >&2
  echo "setup: apt-get could not install: ${missing[*]}" >&2
  exit 3
fi
