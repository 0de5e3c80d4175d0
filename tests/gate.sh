#!/usr/bin/env bash
# The gate: format, lint, types, floors, tests. What could not run is named in the last line; in CI that fails.
set -uo pipefail  # pipefail: a step is as good as its command, not as the sed behind it
cd "$(dirname "$0")/.."
missing=()
unset PYTHONDONTWRITEBYTECODE # hundreds of processes are started; each would compile all that it imports

step() { # step NAME COMMAND…: says what runs, and stops the gate at the first that fails
  local name=$1; shift
  local began=$SECONDS
  "$@" 2>&1 | sed 's/^/  /' || { echo "$name: FAILED"; exit 1; }
  echo "$name: good ($((SECONDS - began)) s)"
}

if ! command -v chromium >/dev/null && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing Chromium for the page tests (once)"
  { apt-get -qq update && apt-get -qq install -y --no-install-recommends chromium; } >/dev/null 2>&1 || true
fi
if ! command -v java >/dev/null && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing Java for the tests on Spark (once)"
  { apt-get -qq update && apt-get -qq install -y --no-install-recommends openjdk-17-jre-headless; } >/dev/null 2>&1 || true
fi
command -v chromium >/dev/null || missing+=("pages in Chromium (chromium is not installed)")
command -v java >/dev/null || missing+=("Spark (java is not installed)")

step format ruff format --check .
step lint ruff check .
step types mypy
step floors lint-imports --no-cache

marks="not slow"
command -v chromium >/dev/null || marks="$marks and not browser"
command -v java >/dev/null || marks="$marks and not spark"
# A file stays with one worker: its tests share what it made, in the order they are read; tests/conftest.py
# says which files begin.
# Benchmarks compare ratios and belong to `make bench`; a busy machine would make them lie here.
# Their folders are in memory where that has room: each of thousands of commits would wait for a disk.
place=()
room=$(df --output=avail /dev/shm 2>/dev/null | tail -1)
if [ "${room:-0}" -gt 4000000 ]; then # KB
  memory=$(mktemp -d /dev/shm/icx-tests.XXXXXX)
  trap 'rm -rf "$memory"' EXIT
  place=(--basetemp "$memory/run")
fi
pytest -n "${WORKERS:-2}" --dist loadfile --no-loadscope-reorder -q -m "$marks" --ignore=tests/benchmarks --durations=8 \
  "${place[@]}" || exit 1

if [ ${#missing[@]} -gt 0 ]; then
  printf 'Not run: %s\n' "${missing[@]}"
  [ -z "${CI:-}" ] || exit 1
fi
