#!/bin/sh
# Makes .venv with the pinned packages: `scripts/setup.sh app` for running, `scripts/setup.sh dev` for
# testing too. A stamp named after the two files that decide the result makes a second call free.
set -eu
cd "$(dirname "$0")/.."
what=${1:-app}
venv=${VENV:-.venv}
key=$(cat pyproject.toml constraints.txt | cksum | tr -d ' ')
stamp="$venv/.embedding-lab-$what-$key"
# The dev set contains the app set.
if [ -x "$venv/bin/python" ] && { [ -e "$stamp" ] || [ -e "$venv/.embedding-lab-dev-$key" ]; }; then
    exit 0
fi

usable() { command -v "$1" >/dev/null 2>&1 && "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
if [ ! -x "$venv/bin/python" ]; then
    for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11 python; do
        if usable "$candidate"; then found=$candidate; break; fi
    done
    if [ -z "${found:-}" ]; then
        echo "Embedding Lab needs Python 3.11 or newer, and none was found. Name one: make app PYTHON=/path/to/python3" >&2
        exit 1
    fi
    echo "Making $venv with $("$found" --version)"
    # Debian and Ubuntu keep the venv module in a package of its own.
    "$found" -m venv "$venv" || {
        rm -rf "$venv"
        echo "Python could not make a virtual environment. On Debian or Ubuntu: apt-get install python3-venv" >&2
        exit 1
    }
fi

extras=""
[ "$what" = dev ] && extras="[dev]"
export PIP_DISABLE_PIP_VERSION_CHECK=1
quiet=-qq
[ -t 1 ] && quiet=""  # somebody is watching: show the downloads
echo "Installing the pinned packages (a few minutes the first time)"
# torch first and alone: TORCH_INDEX chooses the CPU or the CUDA build, and the rest then keeps it.
"$venv/bin/python" -m pip install $quiet --no-deps ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} -c constraints.txt torch
"$venv/bin/python" -m pip install $quiet -c constraints.txt -e ".$extras"
rm -f "$venv"/.embedding-lab-"$what"-*
: > "$stamp"
