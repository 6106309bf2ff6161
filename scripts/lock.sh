#!/bin/sh
# Write the three lock files anew: what runs, what builds, what tests. Needs `uv` on the PATH.
#
# Universal resolution: one file holds for every platform and every Python from 3.11 on. The build backend
# has a lock of its own, because it belongs neither into an image nor into an audit of what runs.
set -eu
cd "$(dirname "$0")/.."

compile() { # output file, then further arguments
    output=$1
    shift
    # --no-header: the header repeats the command line with this machine's paths. No index address is
    # written either: each installation chooses its index, and the hashes fix the contents.
    # shellcheck disable=SC2086 - a list of words
    uv pip compile ${LOCK_OPTIONS:-} --quiet --universal --python-version 3.11 --generate-hashes --no-header \
        --no-emit-index-url --no-emit-find-links --no-annotate --output-file "$output" "$@"
}

compile requirements.lock pyproject.toml
compile requirements-build.lock --group pyproject.toml:build
compile requirements-dev.lock --constraints requirements.lock --constraints requirements-build.lock \
    --group pyproject.toml:dev pyproject.toml
