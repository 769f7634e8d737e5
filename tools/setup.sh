#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Installs the Debian packages that are missing, and with group chain the npm packages of contracts/; nothing to do means
# no network, no root.
#
#   tools/setup.sh [group...]     groups of tools/packages.txt, or "all"; default: build
#
# Exit codes: 0 everything is there, 2 wrong use, 3 something is missing and cannot be installed from here.
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

# The npm packages of contracts/package-lock.json, unless those of this very file are there. No package's scripts are run:
# some of them download.
npm_packages() {
  case " ${groups[*]} " in *" chain "* | *" all "*) ;; *) return 0 ;; esac
  local stamp=contracts/node_modules/.avow-lock
  cmp -s contracts/package-lock.json "$stamp" && return 0
  if ! command -v npm >/dev/null; then
    echo "setup: npm is missing, which the contracts' tools come from" >&2
    exit 3
  fi
  echo "setup: installing the npm packages of contracts/"
  if ! (cd contracts && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error </dev/null >&2); then
    echo "setup: npm ci failed in contracts/; it needs the npm registry once" >&2
    exit 3
  fi
  foundry_binaries
  cp contracts/package-lock.json "$stamp"
}

# The packages of Foundry's binaries, which need no Node.js, name a newer one than Debian 12's, and npm leaves them out as
# optional. Asked for by name they are installed: those of the lock file, by its hashes.
foundry_binaries() {
  [ ! -x contracts/node_modules/.bin/anvil ] || return 0
  local arch version tool packages=()
  case $(uname -m) in aarch64 | arm64) arch=arm64 ;; *) arch=amd64 ;; esac
  version=$(cd contracts && node -p 'require("./package-lock.json").packages["node_modules/@foundry-rs/anvil"].version')
  for tool in anvil cast forge; do packages+=("@foundry-rs/$tool-linux-$arch@$version"); done
  if ! (cd contracts && npm install --no-save --ignore-scripts --no-audit --no-fund --loglevel=error "${packages[@]}" </dev/null >&2); then
    echo "setup: npm could not install ${packages[*]}" >&2
    exit 3
  fi
  for tool in anvil cast forge; do
    ln -sf "../@foundry-rs/$tool-linux-$arch/bin/$tool" "contracts/node_modules/.bin/$tool"
  done
}

if ! command -v dpkg-query >/dev/null; then
  echo "setup: not a Debian system; the counterparts of these packages are needed: ${wanted[*]}" >&2
  npm_packages
  exit 0
fi

# Virtual names (Debian 13 provides pkg-config by pkgconf) count as installed, too.
installed=$(dpkg-query -W -f '${db:Status-Status} ${Package} ${Provides}\n' |
  awk '$1 == "installed" { gsub(/,|\([^)]*\)/, " "); for (i = 2; i <= NF; i++) print $i }')
missing=()
while read -r package; do
  # Node.js often comes from elsewhere, and Debian's npm conflicts with it.
  case $package in nodejs) command -v node >/dev/null && continue ;; npm) command -v npm >/dev/null && continue ;; esac
  grep -qxF -- "$package" <<<"$installed" || missing+=("$package")
done < <(printf '%s\n' "${wanted[@]}" | sort -u)
if [ ${#missing[@]} -eq 0 ]; then
  npm_packages
  exit 0
fi

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
npm_packages
