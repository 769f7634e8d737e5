#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The whole of Avow on this machine: a chain of its own, the contracts on it, a provider, a question asked, answered,
# proven, checked by the contract and paid; then three cheats that the contract refuses (make demo). With `devnet` chain
# and provider stay up instead, for going on by hand, until Ctrl-C (make devnet).
#
#   tools/demo.sh [demo|devnet] [PORT]     the chain listens on 127.0.0.1:PORT (default: any free one; devnet: 8545)
#
# Exit codes: 0 good, 1 something was not as it should be, 2 wrong use, 3 tools or the binaries are missing.
set -euo pipefail
cd "$(dirname "$0")/.."

mode=${1:-demo}
case $mode in demo) port=${2:-$((20000 + RANDOM % 20000))} ;; devnet) port=${2:-8545} ;; *)
  sed -n '3,11s/^# \{0,1\}//p' "$0" >&2
  exit 2
  ;;
esac
avow=build/release/avow
anvil=contracts/node_modules/.bin/anvil
for needed in $avow $anvil build/release/avow_cheats; do
  if [ ! -x $needed ]; then
    echo "demo: $needed is missing; make demo builds it" >&2
    exit 3
  fi
done

work=build/$mode
rm -rf "$work"
mkdir -p "$work"
export AVOW_HOME=$PWD/$work/home AVOW_RPC=http://127.0.0.1:$port
# Money of a local chain alone: the passphrase of its key files is no secret.
passphrase=$work/passphrase
echo "a local chain's accounts" >"$passphrase"
export AVOW_PASSPHRASE_FILE=$PWD/$passphrase

chain=
provider=
finish() {
  # The provider first, which still has to write down where it stands.
  for child in $provider $chain; do
    kill "$child" 2>/dev/null || continue
    wait "$child" 2>/dev/null || true
  done
}
trap finish EXIT
trap 'exit 130' INT TERM

step() { printf '\n== %s\n' "$*"; }
fail() {
  echo "demo: $*" >&2
  exit 1
}
# Runs a command of ours, shown as it would be typed.
show() {
  printf '$ avow %s\n' "$*"
  $avow "$@"
}

step "A chain of its own, with the limits of Ethereum: 2^24 gas and 128 KiB a transaction, a block each second"
$anvil --hardfork osaka --enable-tx-gas-limit --block-time 1 --port "$port" --silent >"$work/chain.log" 2>&1 &
chain=$!
for _ in $(seq 100); do
  sleep 0.1
  kill -0 "$chain" 2>/dev/null || fail "no chain on 127.0.0.1:$port; is the port in use? $work/chain.log may say more"
  ! $avow market status --json >/dev/null 2>&1 || break
done
