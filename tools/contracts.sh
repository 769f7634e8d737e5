#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Builds, tests and checks the contracts with the tools of contracts/package-lock.json (tools/setup.sh chain).
#
#   tools/contracts.sh build          compiles, warnings are errors
#   tools/contracts.sh test [ARG...]  builds and tests; arguments are forge's, e.g. --match-contract Opening -vvv
#   tools/contracts.sh test-long      the same with many more runs: a million calls of the market in random order
#   tools/contracts.sh artifacts      writes contracts/artifacts: ABI and creation code of what is deployed
#   tools/contracts.sh deploy URL SENDER [ARG...]
#                                     deploys everything with contracts/script/parameters/CHAIN.json; arguments are forge's
#                                     (how to sign: --account NAME of its keystore, --ledger, --unlocked)
#   tools/contracts.sh lint           layout and solhint
#   tools/contracts.sh format         lays out
#
# Exit codes: 0 good, 1 a test or check fails, 2 wrong use, 3 the tools are missing.
set -euo pipefail
self=$(realpath "$0")
cd "$(dirname "$self")/../contracts"

bin=node_modules/.bin
if [ ! -x $bin/forge ]; then
  echo "contracts: the tools are missing; tools/setup.sh chain installs them" >&2
  exit 3
fi
export FOUNDRY_DISABLE_NIGHTLY_WARNING=1

# The sources alone, anew: the order of what the compiler writes depends on what else it compiles.
build_release() {
  FOUNDRY_OUT=../build/contracts/release/out FOUNDRY_CACHE_PATH=../build/contracts/release/cache \
    $bin/forge build src --deny warnings --force
}

command=${1:-}
[ $# -eq 0 ] || shift
case $command in
  build) $bin/forge build --deny warnings "$@" ;;
  test | test-long)
    [ "$command" = test ] || export FOUNDRY_PROFILE=long
    # Tests take contracts as artifacts, which a run of some tests alone would not make.
    [ $# -eq 0 ] || $bin/forge build --deny warnings
    $bin/forge test --deny warnings "$@"
    [ $# -gt 0 ] || { build_release && node tools/artifacts.mjs --check; }
    ;;
  artifacts)
    build_release
    node tools/artifacts.mjs
    ;;
  deploy)
    if [ $# -lt 2 ]; then
      echo "contracts: deploy needs the chain's URL and the sender's address" >&2
      exit 2
    fi
    $bin/forge build --deny warnings
    $bin/forge script script/Deploy.s.sol --rpc-url "$1" --sender "$2" --broadcast --slow --gas-estimate-multiplier 110 "${@:3}"
    ;;
  lint)
    $bin/forge fmt --check
    $bin/solhint --disc --noPoster --max-warnings 0 'src/**/*.sol'
    ;;
  format) $bin/forge fmt ;;
  *)
    sed -n '3,17s/^# \{0,1\}//p' "$self" >&2
    exit 2
    ;;
esac
