#!/bin/sh
# Run the given Python program with the first interpreter that is new enough: $PYTHON, python3, python3.14 ...
set -eu

for candidate in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do
    # Tried, not only looked up: a pyenv shim exists for versions that are not active.
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        exec "$candidate" "$@"
    fi
done
echo "Python 3.11 or later was not found. On Debian: apt install python3 python3-venv; elsewhere set PYTHON." >&2
exit 2
