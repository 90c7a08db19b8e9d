#!/usr/bin/env bash
# The browser for the tests of the page. Installs it where it may, else says how.
set -euo pipefail

for name in chromium chromium-browser google-chrome; do
  if command -v "$name" >/dev/null; then exit 0; fi
done

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "installing chromium"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-liberation >/dev/null
else
  echo "missing: chromium. Install it with your package manager (on Debian: sudo apt-get install chromium)." >&2
  exit 1
fi
