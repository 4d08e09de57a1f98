#!/usr/bin/env bash
# setup.sh demo|dev: makes .venv with tondo and what the demo, or the tests, need. A second run is quick.
set -eu
what=${1:-demo}
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}

say() { printf '%s\n' "tondo set-up: $*" >&2; }

"$python" - <<'PY' || { say "Python 3.11 or newer is needed; set PYTHON=/path/to/python3"; exit 2; }
import sys
sys.exit(sys.version_info < (3, 11))
PY

# System packages, on Debian as root only: venv for Python, the OpenMP runtime that LightGBM links to,
# Chromium for the test that opens the pages, Java for Spark, Node for checking exports, and a Redis that the tests start themselves.
missing=()
"$python" -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
ldconfig -p 2>/dev/null | grep -q 'libgomp\.so\.1' || missing+=(libgomp1)
if [ "$what" = dev ] && ! command -v chromium >/dev/null; then missing+=(chromium); fi
if [ "$what" = dev ] && ! command -v java >/dev/null; then missing+=(openjdk-17-jre-headless); fi
if [ "$what" = dev ] && ! command -v npm >/dev/null; then missing+=(nodejs npm); fi
if [ "$what" = dev ] && ! command -v redis-server >/dev/null; then missing+=(redis-server); fi
if [ ${#missing[@]} -gt 0 ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    say "installing ${missing[*]}"
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  else
    say "not found, and not installed because this is not Debian as root: ${missing[*]}"
  fi
fi

stamp=.venv/.tondo-$what
want=$(cat pyproject.toml constraints.txt tools/setup.sh | cksum)
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$want" ]; then exit 0; fi

[ -x .venv/bin/python ] || "$python" -m venv .venv
say "installing tondo[$what] into .venv (once; about a minute)"
extras=demo
[ "$what" = dev ] && extras=demo,dev
.venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[$extras]"
printf '%s' "$want" > "$stamp"
