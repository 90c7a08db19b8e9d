#!/usr/bin/env bash
# Sends the raw bytes on standard input as one request event. Usage: request_with_kcat.sh BOOTSTRAP TENANT/REQUEST_ID [PRIORITY]
set -euo pipefail
bytes=$(mktemp)
trap 'rm -f "$bytes"' EXIT
cat >"$bytes"
# kcat reads the value from the file as it is; a delimiter would cut it.
exec kcat -P -b "$1" -t "translation.requests.${3:-critical}" -k "${2:?give tenant/request_id as key}" \
  -X acks=all -X partitioner=murmur2_random "$bytes"
