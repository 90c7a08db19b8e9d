#!/usr/bin/env bash
# Run the Python that virtual environments are made with: $PYTHON, else the system's if it is new enough, else the
# one on the path. A distribution builds its own with profile-guided optimisation, pyenv does not unless told, and
# with one of those the processes need up to 1.4 times the processor time (docs/decisions/0051-the-systems-own-python.md).
set -euo pipefail

will_do() {
  "$1" -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

for python in ${PYTHON:-/usr/bin/python3 python3}; do
  will_do "$python" && exec "$python" "$@"
done
echo "${PYTHON:-python3} is not Python 3.11 or newer with ensurepip; PYTHON=/path/to/python3 names another." >&2
exit 1
