#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A newcomer's machine: a Debian with nothing in it, in a folder of its own, in which the README's two commands are run on a
# clone of what is committed here, and timed. As root, with debootstrap and the network, by hand: it shows what machines
# that have everything cannot, for one that the set-up misses nothing.
#
#   tools/bare_test.sh [FOLDER [SUITE]]   makes FOLDER (default: build/bare), which must not be there, and removes it at
#                                         the end; SUITE: bookworm (default) or trixie
#
# BARE_MIRROR is where the packages come from (default: http://deb.debian.org/debian). BARE_PREPARE, a program, is called
# with the folder once git and make are installed, and once before: for what machines of this network need to reach the
# mirror and the npm registry (certificates, proxies).
#
# Exit codes: 0 it works within MOST_SECONDS (300), 1 it does not, 3 root or tools are missing.
set -euo pipefail
cd "$(dirname "$0")/.."

root=$(realpath -m "${1:-build/bare}")
suite=${2:-bookworm}
most=${MOST_SECONDS:-300}
if [ "$(id -u)" -ne 0 ] || ! command -v debootstrap unshare >/dev/null; then
  echo "bare: needs root, debootstrap and unshare" >&2
  exit 3
fi
[ ! -e "$root" ] || {
  echo "bare: $root is there already; remove it, or name another folder" >&2
  exit 1
}
# What is mounted in it, and what runs in it, is gone when the command that mounted it has ended (see inside).
log=$(mktemp)
trap 'rm -rf --one-file-system "$root" "$log"' EXIT
trap 'exit 130' INT TERM

# Runs a command as root of that machine, with nothing of this one's environment.
inside() {
  local setting=() name
  for name in NODE_EXTRA_CA_CERTS http_proxy https_proxy; do
    [ -z "${!name:-}" ] || setting+=("$name=${!name}")
  done
  # shellcheck disable=SC2016  # expanded inside
  unshare --mount --pid --fork --kill-child sh -c '
    root=$1; shift
    mount -t proc proc "$root/proc" && mount --rbind /dev "$root/dev" && exec chroot "$root" "$@"' sh "$root" \
    env -i HOME=/root LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "${setting[@]}" "$@" </dev/null
}

prepare() {
  cp /etc/resolv.conf /etc/hosts "$root/etc/"
  [ -z "${BARE_PREPARE:-}" ] || "$BARE_PREPARE" "$root"
}

echo "bare: $suite in $root"
debootstrap --variant=minbase "$suite" "$root" "${BARE_MIRROR:-http://deb.debian.org/debian}" >"$log" 2>&1 || {
  tail -5 "$log" >&2
  exit 1
}
git clone -q --bare . "$root/root/avow.git"
prepare
inside apt-get -qq update

start=$SECONDS
inside sh -c 'apt-get install -y git make >/root/apt.log 2>&1 || { tail /root/apt.log; exit 1; }'
echo "bare: git and make are there after $((SECONDS - start)) s"
prepare
inside git clone -q /root/avow.git /root/avow
inside sh -c 'cd /root/avow && make demo'
taken=$((SECONDS - start))
echo "bare: the demo has run after $taken s"
[ $taken -le "$most" ] || {
  echo "bare: that is more than $most s" >&2
  exit 1
}
