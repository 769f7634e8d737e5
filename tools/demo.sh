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
work=build/$mode
. tools/local_network.sh
need_binaries "$avow" "$bin/anvil" build/release/avow_cheats
open_network "$port"

step() { printf '\n== %s\n' "$*"; }
# Runs a command of ours, shown as it would be typed.
show() {
  printf '$ avow %s\n' "$*"
  "$avow" "$@"
}

balances() {
  local who
  for who in provider requester; do
    printf '%-9s ' $who
    "$avow" wallet balance "${address[$who]}" | sed -n 's/^tokens *//p'
  done
}

step "A chain of its own, with the limits of Ethereum: 2^24 gas and 128 KiB a transaction; a block each second"
start_chain

step "Accounts: the chain's first one deploys, and turns thief at the end; provider and requester are new"
keep_deployer
declare -A address
for who in provider requester; do
  printf '$ avow wallet new -o %s\n' "$work/$who.json"
  address[$who]=$("$avow" wallet new -o "$work/$who.json" 2>/dev/null)
  echo "${address[$who]}"
done

step "The contracts: token, registry, verifier, market; nobody owns them"
show market deploy --key "$work/deployer.json" -o "$work/deployment.json"
# Coins for gas; the provider earns its first tokens here.
"$avow" wallet fund "${address[provider]}" --tokens 0 >/dev/null
"$avow" wallet fund "${address[requester]}" >/dev/null

step "A model: imported to integers, committed to, registered. Its id is the hash of its verifying key"
show model import models/stories260K/stories260K.gguf -o "$work/stories.avow"
show model register "$work/stories.avow" --level 100 --name stories --key "$work/deployer.json"

step "A provider, which derives the id from the file itself and waits for requests"
printf '$ avow serve %s --key %s\n' "$work/stories.avow" "$work/provider.json"
start_provider provider provider "$work/stories.avow" --level 100 --listen -
wait_until 60 "the provider is ready" provider_is_ready provider

if [ "$mode" = devnet ]; then
  cat >"$work/env" <<END
export AVOW_RPC=$AVOW_RPC AVOW_HOME=$AVOW_HOME
export AVOW_KEY=$PWD/$work/requester.json AVOW_PASSPHRASE_FILE=$AVOW_PASSPHRASE_FILE
END
  cat <<END

Chain and provider are up until Ctrl-C. In another terminal, in this folder:

  . $work/env
  build/release/avow ask -m stories -p 'Once upon a time' -n 32 --max-price 5 --verify
  build/release/avow request list
  build/release/avow wallet balance

The provider's lines are in $work/provider.log.
END
  while kill -0 "${children[chain]}" 2>/dev/null && kill -0 "${children[provider]}" 2>/dev/null; do sleep 1; done
  fail "the chain or the provider has ended; see $work/chain.log and $work/provider.log"
fi

step "Balances before"
balances

step "A question: its price goes into escrow, the provider answers with a proof, the contract checks it and pays"
export AVOW_KEY=$PWD/$work/requester.json
show ask -m stories -p "Once upon a time, there was a little girl named Lily." -n 32 --max-price 5 --verify
id=$("$avow" request list --json | sed -n 's/.*"id": "\(0x\)\{0,1\}\([0-9a-f]\{64\}\)".*/\2/p' | head -1)
[ -n "$id" ] || fail "no request is known"

step "Balances after"
balances

step "The provider ends in order; then three cheats, whose transactions the contract refuses"
end_child provider
[ $ended -eq 0 ] || fail "the provider did not end in order; see $work/provider.log"
build/release/avow_cheats --rpc "$AVOW_RPC" --model "$work/stories.avow" --cache "$work/stories.avow.100.commitment" \
  --requester "$work/requester.json" --thief "$work/deployer.json" --passphrase-file "$work/passphrase" --paid "$id"

cat <<END

All of it is over: chain and provider have ended, and their files are in $work.
To go on by hand, with chain and provider kept up:

  make devnet
END
