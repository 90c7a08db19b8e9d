#!/usr/bin/env bash
# What Python packages cannot bring: a JDK and Maven for Kafka. Installs them where it may, else says how.
set -euo pipefail

missing=()
command -v java >/dev/null || missing+=(openjdk-17-jre-headless)
command -v mvn >/dev/null || missing+=(maven)
[ -n "${PYTHON:-}" ] || deploy/local/python.sh -c '' 2>/dev/null || missing+=(python3-venv)
# Wanted by the tests of a client that is not ours and of the alerts, not by Dragoman itself.
if [ "${CI:-}" = true ]; then
  command -v kcat >/dev/null || missing+=(kcat)
  command -v promtool >/dev/null || missing+=(prometheus)
  command -v amtool >/dev/null || missing+=(prometheus-alertmanager)
fi
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "installing ${missing[*]}"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
else
  echo "missing: ${missing[*]}. Install them with your package manager (on Debian: sudo apt-get install ${missing[*]})." >&2
  exit 1
fi
