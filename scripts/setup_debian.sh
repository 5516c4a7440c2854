# Debian packages; sourced by setup.sh.
# shellcheck shell=bash

# The command by which a package counts as there, however it was installed.
command_of() {
  case $1 in
    ninja-build) echo ninja ;;
    xz-utils) echo xz ;;
    abcmidi) echo abc2midi ;;
    *) echo "$1" ;;
  esac
}

# missing_packages LIST...: those of the lists that are not installed, one a line.
missing_packages() {
  local wanted installed=" " package
  wanted=$(sed 's/#.*//' "$@")
  if command -v dpkg-query >/dev/null; then
    # shellcheck disable=SC2016,SC2086  # dpkg-query's own ${}; one word a package
    installed=" $(dpkg-query -W -f '${Package} ${db:Status-Status}\n' $wanted 2>/dev/null |
      awk '$2 == "installed" { printf "%s ", $1 }')"
  fi
  for package in $wanted; do
    case $installed in *" $package "*) continue ;; esac
    command -v "$(command_of "$package")" >/dev/null && continue
    if [ "$package" = python3-venv ] && python3 -c 'import ensurepip, venv' 2>/dev/null; then continue; fi
    echo "$package"
  done
}

may_install() {
  [ "$(id -u)" = 0 ] || { command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; }
}

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

apt_get() { as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 "$@"; }

# A fresh machine knows no packages before its first update, so a failed install asks for one.
apt_install() {
  say "installing Debian packages: $*"
  logged apt apt_get install -y --no-install-recommends "$@" 2>/dev/null ||
    { logged apt-update apt_get update &&
      logged apt apt_get install -y --no-install-recommends "$@"; }
}

debian_packages() {
  local missing command
  missing=$(missing_packages "$1" | paste -sd ' ')
  [ -n "$missing" ] || return 0
  if ! command -v apt-get >/dev/null; then
    say "this is not Debian or Ubuntu; the build needs what they call: $missing"
    return 0
  fi
  command="apt-get update && apt-get install -y --no-install-recommends $missing"
  may_install || stop "these Debian packages are missing, and neither root nor sudo is at hand: $missing" \
    "su -c '$command'"
  # shellcheck disable=SC2086  # one word a package
  apt_install $missing || stop "these Debian packages could not be installed (no network?): $missing" \
    "sudo sh -c '$command'"
}

# For tools without which a test is skipped.
debian_packages_if_possible() {
  local missing
  missing=$(missing_packages "$1" | paste -sd ' ')
  [ -n "$missing" ] || return 0
  # shellcheck disable=SC2086  # one word a package
  if command -v apt-get >/dev/null && may_install && apt_install $missing; then return 0; fi
  say "without these packages some tests are skipped: $missing"
}
