#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What must hold of the network whatever happens to it, with real processes on a real local chain (part of make
# test-long). Each check has a network of its own.
#
#   tools/network_test.sh [CHECK...]      default: all of them
#
#   kills        a provider dies after each step that its journal knows, and starts again: answered once, paid once
#   competition  two providers, one request: one is paid, the other stops
#   rescue       a provider locks and dies: another answers, and the bond is slashed
#   outage       the chain's node hangs for a minute, and is restarted: the provider goes on
#   reorg        blocks with a request, a lock and an answer are replaced: all is well in the end
#   hundred      a hundred requests at once: all answered, in batches; requests a minute, gas for each
#   hostile      requests that nobody can or should answer: refused without work
#   large        a model of 124M parameters, from the request to the payment, within the limits of a transaction
#
# Exit codes: 0 all hold, 1 one does not, 2 wrong use, 3 tools or binaries are missing.
set -euo pipefail
cd "$(dirname "$0")/.."

work=build/network
. tools/local_network.sh
need_binaries "$avow" "$bin/anvil" "$bin/cast"

say() { printf 'network: %s\n' "$*"; }
key() { printf '%s' "$work/$1.json"; }
address() { "$avow" wallet address --key "$(key "$1")"; }
# A member of the last JSON object that a command printed into a file.
member() { # FILE NAME
  node -e 'const j = JSON.parse(require("fs").readFileSync(process.argv[1])); const v = j[process.argv[2]];
    if (v === undefined) process.exit(1); console.log(v)' "$1" "$2"
}

# A chain with contracts, the bundled model registered, and accounts with money.
open_market() { # ACCOUNT...
  open_network $((20000 + RANDOM % 20000))
  start_chain "${chain_options[@]}"
  keep_deployer
  "$avow" market deploy --key "$(key deployer)" >/dev/null
  "$avow" model import models/stories260K/stories260K.gguf -o "$work/stories.avow" >"$work/model.log" 2>&1 ||
    fail "no model; see $work/model.log"
  "$avow" model register "$work/stories.avow" --level 100 --name stories --key "$(key deployer)" "${usual[@]}" \
    >"$work/model.log" 2>&1 || fail "the model is not registered; see $work/model.log"
  local who
  for who in "$@"; do
    "$avow" wallet new -o "$(key "$who")" >/dev/null
    "$avow" wallet fund --key "$(key "$who")" >/dev/null
  done
}
chain_options=()
usual=()

ask() { # OPTION...: posts a request of the account requester; its id in `id`
  id=$("$avow" ask -m stories --key "$(key requester)" --no-wait --json "$@" 2>>"$work/ask.log" |
    sed -n 's/.*"request_id": "\([0-9a-f]*\)".*/\1/p' | head -1)
  [ -n "$id" ] || fail "a request was not posted; see $work/ask.log"
}
status_of() { # ID
  "$avow" request show "$1" --json 2>/dev/null >"$work/show.json" || true
  member "$work/show.json" status 2>/dev/null || echo none
}
has_status() { [ "$(status_of "$1")" = "$2" ]; } # ID STATUS
payee_of() {
  status_of "$1" >/dev/null
  member "$work/show.json" payee
}
serve() { # NAME ACCOUNT [OPTION...]
  start_provider "$1" "$2" "$work/stories.avow" --level 100 --listen - "${usual[@]}" "${@:3}"
}
ready() { wait_until 120 "provider $1 is ready" provider_is_ready "$1"; }
has_ended() { ! kill -0 "${children[$1]}" 2>/dev/null; }
logged() { grep -q "$2" "$work/$1.log"; }       # PROVIDER CODE
count() { grep -c "$2" "$work/$1.log" || true; } # PROVIDER CODE

check_kills() {
  open_market provider requester
  local step steps="seen ran approve-prepared approve-sent approve-included lock-prepared lock-sent lock-included proven
    planned settle-prepared settle-sent settle-included paid"
  for step in ${AVOW_KILL_STEPS:-$steps}; do
    # Each with a journal of its own: the market's allowance is asked for once for a journal.
    "$avow" wallet new -o "$work/p-$step.json" >/dev/null
    "$avow" wallet fund --key "$work/p-$step.json" >/dev/null
    serve "$step" "p-$step" --lock always --stop-after "$step"
    ask -p "Once upon a time" -n 12 --max-price 5 --ramp 0
    wait_until 120 "the provider stops after $step" has_ended "$step"
    end_child "$step"
    [ $ended -eq 137 ] || fail "$step: exit code $ended instead of 137"
    serve "$step" "p-$step" --lock always
    wait_until 120 "$step: answered after the restart" has_status "$id" fulfilled
    [ "$(payee_of "$id")" = "$(address "p-$step")" ] || fail "$step: somebody else was paid"
    wait_until 60 "$step: the journal says so" logged "$step" job.paid
    [ "$(count "$step" 'proof.made')" -le 1 ] || fail "$step: proven twice"
    end_child "$step"
    [ $ended -eq 0 ] || fail "$step: did not end in order"
    say "kills: after $step: answered by the same provider, proven once, paid once"
  done
}

check_competition() {
  open_market one two requester
  serve one one --lock when-needed
  serve two two --lock when-needed
  ready one
  ready two
  ask -p "Once upon a time" -n 24 --max-price 5 --ramp 0
  wait_until 120 "one of them is paid" has_status "$id" fulfilled
  local paid
  paid=$(payee_of "$id")
  both_know() { grep -qE 'job\.(paid|lost)' "$work/one.log" && grep -qE 'job\.(paid|lost)' "$work/two.log"; }
  wait_until 60 "both know" both_know
  [ "$(cat "$work/one.log" "$work/two.log" | grep -c job.paid)" -eq 1 ] || fail "two providers say that they were paid"
  end_child one
  end_child two
  say "competition: $paid was paid, the other stopped"
}

check_rescue() {
  open_market one two requester
  serve one one --lock always --stop-after lock-included
  ready one
  ask -p "Once upon a time" -n 12 --max-price 5 --ramp 0 --lock-duration 60
  wait_until 120 "the first provider dies with its lock" has_ended one
  end_child one
  [ $ended -eq 137 ] || fail "rescue: exit code $ended instead of 137"
  has_status "$id" locked || fail "the request is not locked"
  serve two two --lock never
  ready two
  rpc anvil_setNextBlockTimestamp $(($(rpc eth_getBlockByNumber latest false | node -e '
    console.log(Number(JSON.parse(require("fs").readFileSync(0)).timestamp))') + 70)) >/dev/null
  wait_until 120 "the other one answers" has_status "$id" fulfilled
  [ "$(payee_of "$id")" = "$(address two)" ] || fail "the wrong one was paid"
  "$avow" wallet balance --key "$(key one)" --json >"$work/one.balance"
  end_child two
  say "rescue: answered by the other one; the first has $(member "$work/one.balance" tokens) AVOW left of 1000"
}

check_outage() {
  chain_options=(--state "$PWD/$work.state" --state-interval 1)
  rm -f "$work.state"
  open_market provider requester
  serve provider provider
  ready provider
  ask -p "Once upon a time" -n 12 --max-price 5 --ramp 0
  kill -STOP "${children[chain]}"
  sleep "${AVOW_OUTAGE_SECONDS:-60}"
  kill -CONT "${children[chain]}"
  wait_until 180 "answered after the outage" has_status "$id" fulfilled
  say "outage: answered after the node had hung for ${AVOW_OUTAGE_SECONDS:-60} s"
  end_child chain
  sleep 5
  start_chain "${chain_options[@]}"
  ask -p "The sun was" -n 12 --max-price 5 --ramp 0
  wait_until 180 "answered after the restart" has_status "$id" fulfilled
  end_child provider
  [ $ended -eq 0 ] || fail "the provider did not end in order"
  rm -f "$work.state"
  chain_options=()
  say "outage: answered after the node was restarted"
}

check_reorg() {
  open_market provider requester
  ask -p "Once upon a time" -n 12 --max-price 5 --ramp 0 --lock-duration 600
  serve provider provider --lock always
  ready provider
  wait_until 120 "it is locked" has_status "$id" locked
  rpc anvil_reorg 4 '[]' >/dev/null
  say "reorg: four blocks replaced under a lock"
  # Where the request's block went, too, the requester posts it again: the same request has the same id.
  settled() {
    case $(status_of "$id") in
      fulfilled) return 0 ;;
      none | unknown) ask -p "Once upon a time" -n 12 --max-price 5 --ramp 0 --lock-duration 600 ;;
    esac
    return 1
  }
  wait_until 240 "answered after the reorganisation" settled
  rpc anvil_reorg 2 '[]' >/dev/null
  say "reorg: two blocks replaced after the payment"
  sleep 3
  wait_until 240 "paid in the end" settled
  end_child provider
  [ $ended -eq 0 ] || fail "the provider did not end in order"
  say "reorg: paid in the end"
}

check_hundred() {
  usual=(--usual-requests 16)
  open_market provider requester
  "$avow" wallet fund --key "$(key requester)" --tokens 1000 >/dev/null
  local i start ids=()
  for i in $(seq 100); do
    ask -p "Once upon a time, number $i" -n 32 --max-price 5 --ramp 0 --deadline 7200
    ids+=("$id")
  done
  say "hundred: posted"
  start=$SECONDS
  serve provider provider --max-batch 16
  for i in "${ids[@]}"; do wait_until 1200 "request $i is answered" has_status "$i" fulfilled; done
  end_child provider
  [ $ended -eq 0 ] || fail "the provider did not end in order"
  # Of the settlement of all of them: what the provider's account paid gas for.
  say "hundred: all answered in $((SECONDS - start)) s, $((6000 / (SECONDS - start))) requests a minute; proofs: $(count provider proof.made)"
  grep -o 'gas_used=[0-9]*' "$work/provider.log" | cut -d= -f2 |
    awk '{ sum += $1 } END { if (sum) printf "network: hundred: %d gas a request\n", sum / 100 }'
  usual=()
}

check_hostile() {
  open_market provider requester
  serve provider provider --max-bond 3
  ready provider
  local open=()
  ask -p "Once upon a time" -n 12 --max-price 0.000000000001 --ramp 0 && open+=("$id")         # below cost
  ask -p "Once upon a time" -n 12 --max-price 5 --ramp 0 --lock-duration 31 && open+=("$id")   # answered without a lock
  ask -p "Once upon a time" -n 12 --max-price 5 --ramp 0 --deadline 2 && open+=("$id")         # nobody is that fast
  ask -p "Once upon a time" -n 100 --max-price 0.0001 --ramp 0 && open+=("$id")                # long, and paid by crumbs
  ask -p "Once upon a time" -n 12 --max-price 5 --ramp 0
  wait_until 120 "an honest request among them is answered" has_status "$id" fulfilled
  kill -0 "${children[provider]}" || fail "the provider has died"
  has_status "${open[0]}" fulfilled && fail "a request below cost was answered"
  has_status "${open[3]}" fulfilled && fail "a long request was answered for crumbs"
  end_child provider
  [ $ended -eq 0 ] || fail "the provider did not end in order"
  [ "$(count provider proof.made)" -le 3 ] || fail "what is not paid was proven"
  say "hostile: refused or left alone, without work"
}

check_large() {
  open_market provider requester
  "$avow" model synth --shape 124m -o "$work/large.avow" >"$work/model.log" 2>&1 || fail "no model; see $work/model.log"
  "$avow" model register "$work/large.avow" --level 100 --name large --key "$(key deployer)" >"$work/model.log" 2>&1 ||
    fail "the model is not registered; see $work/model.log"
  start_provider provider provider "$work/large.avow" --level 100 --listen - --lock always
  wait_until 600 "the provider is ready" provider_is_ready provider
  printf 'a%.0s' $(seq 31) >"$work/prompt"  # and the token that a text begins with
  id=$("$avow" ask -m large --key "$(key requester)" --no-wait --json --file "$work/prompt" -n 32 --max-price 50 --ramp 0 \
    --lock-duration 1800 --deadline 7200 2>>"$work/ask.log" | sed -n 's/.*"request_id": "\([0-9a-f]*\)".*/\1/p' | head -1)
  [ -n "$id" ] || fail "the request was not posted; see $work/ask.log"
  wait_until 900 "the answer is paid" has_status "$id" fulfilled
  "$avow" request verify "$id" >/dev/null 2>&1 || fail "the proof in the transactions does not hold"
  end_child provider
  local height number
  height=$("$bin/cast" block-number --rpc-url "$AVOW_RPC")
  for number in $(seq 0 "$height"); do
    rpc eth_getBlockByNumber "$(printf '0x%x' "$number")" true
  done | node -e '
    let bytes = 0, gas = 0;
    for (const line of require("fs").readFileSync(0, "utf8").split("\n")) {
      if (!line) continue;
      for (const t of JSON.parse(line).transactions) {
        bytes = Math.max(bytes, (t.input.length - 2) / 2);
        gas = Math.max(gas, Number(t.gas));
      }
    }
    console.log(`network: large: paid; largest transaction ${bytes} bytes of calldata, most gas ${gas}`);
    if (bytes > 131072 || gas > 2 ** 24) process.exit(1);' || fail "a transaction is beyond the limits"
}

all=(kills competition rescue outage reorg hundred hostile large)
for name in "${@:-${all[@]}}"; do
  declare -F "check_$name" >/dev/null || {
    sed -n '3,20s/^# \{0,1\}//p' "$0" >&2
    exit 2
  }
done
for name in "${@:-${all[@]}}"; do
  "check_$name"
  finish
done
say "all of it holds"
