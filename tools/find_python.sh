#!/bin/sh
# Prints Python interpreters from 3.11 up, one path a line, each tried by running it: a version manager's shim
# that exists may still refuse to run, and Debian's python3 lacks ensurepip until python3-venv is installed. With --all: one for every minor version; without: the newest tested one.
set -u
oldest=11
newest=14

works() { "$1" -I -c "import sys; import ensurepip, venv; sys.exit(sys.version_info[:2] != (3, $2))" >/dev/null 2>&1; }

find_minor() {
    minor=$1
    for candidate in \
        "$(command -v "python3.$minor" 2>/dev/null)" \
        "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3."$minor".*/bin/python3 \
        "${UV_PYTHON_INSTALL_DIR:-$HOME/.local/share/uv/python}"/cpython-3."$minor".*/bin/python3 \
        "$HOME"/.asdf/installs/python/3."$minor".*/bin/python3 \
        "$HOME"/.local/share/mise/installs/python/3."$minor".*/bin/python3 \
        /usr/bin/python3."$minor" /usr/local/bin/python3."$minor" /opt/homebrew/bin/python3."$minor" \
        "$(command -v python3 2>/dev/null)"
    do
        if [ -n "$candidate" ] && [ -x "$candidate" ] && works "$candidate" "$minor"; then
            echo "$candidate"
            return 0
        fi
    done
    return 1
}

found=1
if [ "${1:-}" = --all ]; then
    minor=$oldest
    while [ "$minor" -le "$newest" ]; do
        find_minor "$minor" && found=0
        minor=$((minor + 1))
    done
else
    for minor in 13 12 11 14; do
        find_minor "$minor" && { found=0; break; }
    done
fi
if [ "$found" -ne 0 ]; then
    have=$(python3 --version 2>/dev/null || echo "no python3")
    echo "error[no-python]: habanero-py needs Python 3.11 or newer with its venv module; found: $have" >&2
    echo "  help: apt-get install python3 python3-venv, or make PYTHON=/path/to/python3.12 ..." >&2
fi
exit "$found"
