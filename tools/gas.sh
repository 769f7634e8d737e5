#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Gas of everything that happens on a chain (make gas): starts a local chain, deploys the contracts, has a model answer
# requests, pays the answers, and reports what the receipts say. The last line is one JSON object.
#
#   tools/gas.sh [PORT]     the chain listens on 127.0.0.1:PORT (default: any)
#
# Exit codes: 0 measured, 1 a transaction failed, 3 tools or the binary are missing.
set -euo pipefail
cd "$(dirname "$0")/.."

port=${1:-$((20000 + RANDOM % 20000))}
avow=build/release/avow
bin=contracts/node_modules/.bin
if [ ! -x $bin/anvil ] || [ ! -x $avow ]; then
  echo "gas: needs $avow (make) and the chain's tools (tools/setup.sh chain)" >&2
  exit 3
fi
export FOUNDRY_DISABLE_NIGHTLY_WARNING=1
# The first of anvil's well-known development accounts.
sender=0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266
prompt="Once upon a time, there was a little girl named Lily. She loved to play outside."
out=build/gas
rm -rf $out
mkdir -p $out

echo "gas: model and a proof without requests" >&2
$avow model import models/stories260K/stories260K.gguf -o $out/stories.avow >/dev/null 2>&1
$avow model commit $out/stories.avow --level 100 --key $out/key --program $out/program >/dev/null 2>&1
prove() { # FILE, then options
  $avow prove $out/stories.avow --level 100 -n 32 -o "$out/$1.proof" "${@:2}" >/dev/null 2>&1
}
prove single -p "$prompt"
# Batches are of the same model with the parameters that suit them.
many_usual=(--usual-requests 16)
$avow model commit $out/stories.avow --level 100 "${many_usual[@]}" --key $out/many.key >/dev/null 2>&1
echo "gas: answers of 64 to 4,096 tokens, half of them read, of a model with such a context" >&2
lengths=(64 256 1024 4096)
$avow model synth --shape long --context 4096 -o $out/long.avow >/dev/null 2>&1
$avow model commit $out/long.avow --level 100 --usual-tokens 4096 --key $out/long.key --program $out/long.program >/dev/null 2>&1
for length in "${lengths[@]}"; do
  # A token for each letter.
  printf 'a%.0s' $(seq $((length / 2))) > $out/long.txt
  $avow prove $out/long.avow --level 100 --usual-tokens 4096 -n $((length / 2)) --file $out/long.txt \
    -o "$out/long$length.proof" >/dev/null 2>&1
  $avow verify "$out/long$length.proof" --json > "$out/long$length.json"
done
echo "{\"tokens\": [$(IFS=,; echo "${lengths[*]}")]}" > $out/grow.json
for name in shape124m_100 shape124m_128; do
  $avow verify spec/vectors/proofs/$name.proof --json > $out/$name.json
done

echo "gas: chain and contracts" >&2
$bin/anvil --hardfork osaka --enable-tx-gas-limit --port "$port" --silent &
chain=$!
# It may have ended by itself.
trap 'kill $chain 2>/dev/null || true' EXIT
url=http://127.0.0.1:$port
for _ in $(seq 50); do
  sleep 0.2
  if ! kill -0 $chain 2>/dev/null; then
    echo "gas: no chain on 127.0.0.1:$port; is the port in use?" >&2
    exit 1
  fi
  if $bin/cast chain-id --rpc-url $url >/dev/null 2>&1; then break; fi
done
now=$($bin/cast block latest --field timestamp --rpc-url $url)
echo "{\"deadline\": $((now + 86400 * 30))}" > $out/settings.json
run() { # SCRIPT SIGNATURE
  if ! (cd contracts && node_modules/.bin/forge script "script/$1.s.sol" --sig "$2()" --rpc-url $url --broadcast \
    --unlocked --sender $sender --gas-estimate-multiplier 102 --slow > ../$out/"$1.$2".log 2>&1) ||
    grep -q '^Error' $out/"$1.$2".log; then
    tail -5 $out/"$1.$2".log | cut -c1-300 >&2
    echo "gas: $1 $2 failed; all of its output is in $out/$1.$2.log" >&2
    exit 1
  fi
  cp "build/contracts/broadcast/$1.s.sol/31337/$2-latest.json" $out/"$1.$2".json
}
run Deploy run
run Gas ask

echo "gas: answers to requests on this chain" >&2
market=$(sed -n 's/.*"market": "0x\([0-9a-fA-F]*\)".*/\1/p' contracts/deployments/31337.json)
bind=(--chain-id 7a69 --market "$market" --payee "${sender#0x}")
mapfile -t ids < $out/ids
prove bound -p "$prompt" "${bind[@]}" --request-id "${ids[0]#0x}"
many=()
for id in "${ids[@]:1:16}"; do many+=(-p "$prompt" --request-id "${id#0x}"); done
prove batch "${many_usual[@]}" "${bind[@]}" "${many[@]}"
$avow verify $out/batch.proof --json > $out/batch.json
run Gas settle
run Gas grow
node contracts/tools/gas_report.mjs $out
