# SPDX-License-Identifier: Apache-2.0
#
# A network on this machine for scripts, which source this file after setting `work`, a folder of their own: a chain, the
# contracts, accounts, a model, providers. Every child is ended by its id, whatever ends the script.
#
# shellcheck shell=bash

avow=$PWD/build/release/avow
bin=$PWD/contracts/node_modules/.bin
export FOUNDRY_DISABLE_NIGHTLY_WARNING=1

declare -A children=() # name -> process

fail() {
  echo "$(basename "$0"): $*" >&2
  exit 1
}

need_binaries() { # FILE...
  local needed
  for needed in "$@"; do
    [ -x "$needed" ] && continue
    echo "$(basename "$0"): $needed is missing; make demo builds it" >&2
    exit 3
  done
}

end_child() { # NAME [SIGNAL]: and its exit code, in `ended`
  ended=0
  kill "-${2:-TERM}" "${children[$1]}" 2>/dev/null || true
  wait "${children[$1]}" 2>/dev/null || ended=$?
  unset "children[$1]"
}

finish() {
  local name
  # Providers first, which still have to write down where they stand; a chain that was stopped cannot end.
  for name in "${!children[@]}"; do [ "$name" = chain ] || end_child "$name"; done
  if [ -n "${children[chain]:-}" ]; then
    kill -CONT "${children[chain]}" 2>/dev/null || true
    end_child chain
  fi
}

open_network() { # PORT
  rm -rf "$work"
  mkdir -p "$work"
  port=$1
  export AVOW_HOME=$PWD/$work/home AVOW_RPC=http://127.0.0.1:$port
  # Money of a local chain alone: that its key files have a known passphrase does no harm.
  echo "a local chain's accounts" >"$work/passphrase"
  export AVOW_PASSPHRASE_FILE=$PWD/$work/passphrase
  trap finish EXIT
  trap 'exit 130' INT TERM
}

start_chain() { # anvil's further arguments
  "$bin/anvil" --hardfork osaka --enable-tx-gas-limit --block-time 1 --port "$port" --silent "$@" >>"$work/chain.log" 2>&1 &
  children[chain]=$!
  local _
  for _ in $(seq 100); do
    sleep 0.1
    kill -0 "${children[chain]}" 2>/dev/null ||
      fail "no chain on 127.0.0.1:$port; is the port in use? $work/chain.log may say more"
    if "$bin/cast" chain-id --rpc-url "$AVOW_RPC" >/dev/null 2>&1; then return; fi
  done
  fail "the chain on 127.0.0.1:$port does not answer"
}

rpc() { "$bin/cast" rpc --rpc-url "$AVOW_RPC" "$@"; }

keep_deployer() {
  # The first of anvil's well-known development keys.
  echo 0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80 >"$work/first"
  "$avow" wallet import --from "$work/first" -o "$work/deployer.json" >/dev/null
}

start_provider() { # NAME ACCOUNT MODEL [OPTION...]: with a journal of this name; returns when it is ready
  local name=$1 account=$2 model=$3
  shift 3
  "$avow" serve "$model" --key "$work/$account.json" --journal "$work/$name.journal" --poll-millis 200 \
    "$@" >>"$work/$name.out" 2>>"$work/$name.log" &
  children[$name]=$!
}

wait_until() { # SECONDS WHAT COMMAND...: until it succeeds
  local seconds=$1 what=$2 end
  shift 2
  end=$((SECONDS + seconds))
  until "$@"; do
    [ $SECONDS -lt $end ] || fail "$what: not within $seconds s"
    sleep 0.3
  done
}

provider_is_ready() { # NAME
  kill -0 "${children[$1]}" 2>/dev/null || {
    tail -5 "$work/$1.log" >&2
    fail "the provider has ended; all that it said is in $work/$1.log"
  }
  grep -qs 'service.ready' "$work/$1.log"
}
