#!/bin/sh
# Install the Debian packages that some tests want, or name them where that is not allowed.
#   system_deps.sh                  install; fail when it cannot be done
#   system_deps.sh --where-allowed  install as root on Debian, otherwise name what is missing and go on
set -eu
cd "$(dirname "$0")"

missing_packages() {
    grep -v '^#' system-packages.txt | while read -r wanted package; do
        command -v "$wanted" >/dev/null 2>&1 || [ -e "$wanted" ] || echo "$package"
    done | sort -u | tr '\n' ' '
}

leave() { # what is wrong: a failure, unless it was only a try
    echo "system-deps: $1" >&2
    [ "$mode" = "--where-allowed" ] && exit 0
    exit 1
}

install_packages() { # packages
    export DEBIAN_FRONTEND=noninteractive
    # We want prometheus's programs, not a service on this machine: under systemd it is masked while it is
    # installed and disabled afterwards; elsewhere runlevel 1 keeps invoke-rc.d from starting it.
    hold=no
    if [ -d /run/systemd/system ] && ! systemctl cat prometheus.service >/dev/null 2>&1; then
        hold=yes
        systemctl mask --quiet prometheus.service
    fi
    # An update that fails may still leave lists that are good enough.
    apt-get -qq -o DPkg::Lock::Timeout=300 update || echo "system-deps: apt-get update failed, going on" >&2
    # shellcheck disable=SC2086 - a list of words
    RUNLEVEL=1 apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends $1 </dev/null
    status=$?
    if [ "$hold" = yes ]; then
        systemctl unmask --quiet prometheus.service
        systemctl disable --quiet prometheus.service || true
    fi
    return "$status"
}

mode=${1:-}
missing=$(missing_packages)
[ -n "$missing" ] || exit 0
[ -r /etc/debian_version ] && command -v apt-get >/dev/null 2>&1 ||
    leave "not a Debian system; the tests want what these Debian packages bring: $missing"
[ "$(id -u)" = 0 ] || leave "missing: $missing- as root: apt install $missing"
echo "system-deps: installing $missing"
install_packages "$missing" || leave "apt-get could not install: $missing"
missing=$(missing_packages)
[ -z "$missing" ] || leave "installed, but still not found: $missing"
