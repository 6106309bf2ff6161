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
    # We want the programs, not services on this machine: under systemd they are masked while they are
    # installed and disabled afterwards; elsewhere runlevel 1 keeps invoke-rc.d from starting them.
    held=
    for service in prometheus.service prometheus-alertmanager.service caddy.service nginx.service \
        docker.socket docker.service containerd.service postgresql.service pgbouncer.service; do
        if [ -d /run/systemd/system ] && ! systemctl cat "$service" >/dev/null 2>&1; then
            held="$held $service"
            systemctl mask --quiet "$service"
        fi
    done
    # An update that fails may still leave lists that are good enough.
    apt-get -qq -o DPkg::Lock::Timeout=300 update || echo "system-deps: apt-get update failed, going on" >&2
    # shellcheck disable=SC2086 - a list of words
    RUNLEVEL=1 apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends $1 </dev/null
    status=$?
    for service in $held; do
        systemctl unmask --quiet "$service"
        systemctl disable --quiet "$service" || true
    done
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
