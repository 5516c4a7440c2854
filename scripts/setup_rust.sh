# A Rust compiler and the crates of the bridge; sourced by setup.sh.
# shellcheck shell=bash

rust_minimum() {
  local minimum
  minimum=$(sed -n 's/^rust-version *= *"\(.*\)".*/\1/p' rust/Cargo.toml)
  echo "${minimum:-1.85}"
}

# The cargo to use: one that set-up installed, or that of PATH. CMake looks in the same order.
cargo() { if [ -x .deps/bin/cargo ]; then .deps/bin/cargo "$@"; else command cargo "$@"; fi; }

rust_is_there() {
  local minimum=$1 version
  if [ ! -x .deps/bin/cargo ]; then
    version=$(rustc --version 2>/dev/null | awk '{ print $2 }') || return 1
    at_least "${version:-0}" "$minimum" || return 1
  fi
  version=$(cargo --version 2>/dev/null | awk '{ print $2 }') || return 1
  at_least "${version:-0}" "$minimum"
}

# Pairs "cargo-package rustc-package" that the known package lists offer in a sufficient version.
rust_offers() {
  local minimum=$1 cargo candidate
  for cargo in cargo-web cargo $(apt-cache pkgnames cargo-1. | sort -rV); do
    candidate=$(apt-cache policy "$cargo" | sed -n 's/^ *Candidate: //p')
    [[ $cargo =~ ^cargo-(1\.[0-9]+)$ ]] && candidate=${BASH_REMATCH[1]}
    if [[ $candidate =~ ^[0-9] ]] && at_least "${candidate%%+*}" "$minimum"; then
      echo "$cargo ${cargo/cargo/rustc}"
    fi
  done
}

# program_of PACKAGE NAME: the program NAME that a package brought, which may carry a version.
program_of() { dpkg-query -L "$1" | grep -E -m 1 "/bin/$2(-[0-9.]+)?\$"; }

rust_compiler() {
  local minimum offer
  minimum=$(rust_minimum)
  ! rust_is_there "$minimum" || return 0
  command -v apt-get >/dev/null || stop "Rust $minimum or newer is missing (cargo and rustc)"
  may_install || stop "Rust $minimum or newer is missing, and neither root nor sudo is at hand" \
    "su -c 'apt-get update && apt-get install -y cargo-web rustc-web'"
  offer=$(rust_offers "$minimum" | head -n 1)
  [ -n "$offer" ] || {
    logged apt-update apt_get update || stop "Rust $minimum or newer is missing, and the package lists could not be updated (no network?)" \
      "sudo sh -c 'apt-get update && apt-get install -y cargo-web rustc-web'"
    offer=$(rust_offers "$minimum" | head -n 1)
  }
  [ -n "$offer" ] || stop "no package of this system has Rust $minimum or newer; any newer cargo and rustc in PATH will do"
  # shellcheck disable=SC2086  # two packages
  apt_install $offer || stop "Rust could not be installed (no network?): $offer" \
    "sudo apt-get install -y $offer"
  mkdir -p .deps/bin
  # An older cargo may come first in PATH, so the one just installed is named in full.
  printf '#!/bin/sh\nRUSTC=%s exec %s "$@"\n' "$(program_of "${offer#* }" rustc)" \
    "$(program_of "${offer% *}" cargo)" >.deps/bin/cargo.new
  chmod +x .deps/bin/cargo.new
  mv .deps/bin/cargo.new .deps/bin/cargo
  rust_is_there "$minimum" || stop "installed $offer, but .deps/bin/cargo does not run as Rust $minimum or newer"
}

# For the test that compares the Rust files with what rustfmt writes. Debian's packages are named
# alike: rustc-web has rustfmt-web.
rust_format() {
  local compiler
  ! command -v rustfmt >/dev/null || return 0
  # shellcheck disable=SC2016  # dpkg-query's own ${}
  compiler=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' 'rustc*' 2>/dev/null |
    awk '$2 == "installed" { print $1; exit }') || true
  if [ -n "$compiler" ] && may_install && apt_install "${compiler/rustc/rustfmt}"; then return 0; fi
  say "without rustfmt one test is skipped"
}

rust_crates() {
  local lock
  [ -f rust/Cargo.lock ] || return 0
  lock="$(sha256sum <rust/Cargo.lock) ${CARGO_HOME:-$HOME/.cargo}"
  [ "$(cat .deps/crates 2>/dev/null)" != "$lock" ] || return 0
  say "fetching the Rust crates of rust/Cargo.lock"
  logged crates cargo fetch --locked --manifest-path rust/Cargo.toml ||
    stop "the Rust crates of rust/Cargo.lock could not be fetched (no network?)" \
      "cargo fetch --locked --manifest-path rust/Cargo.toml"
  echo "$lock" >.deps/crates
}
