#!/usr/bin/env bash
# Submit a text and wait, follow another by its events, translate a document. Usage: translate.sh HTTP_URL API_KEY FILE
set -euo pipefail
url=${1%/} key=$2 file=$3
ask() { curl -sS --fail-with-body -H "Authorization: Bearer $key" "$@"; }
# The value of the first member of that name: `jq -r .NAME` does it better where there is jq.
member() { sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p" | head -n 1; }
json=(-H 'Content-Type: application/json' -d)

text='{"text": "Good morning.", "source_language": "en", "target_language": "pt"}'
echo "waited: $(ask "${json[@]}" "$text" "$url/api/v1/translations?wait=30" | member text)"

job=$(ask "${json[@]}" "$text" "$url/api/v1/translations" | member job_id)
events=$(ask -N "$url/api/v1/translations/$job/events")
echo "events: $(grep -A 2 '^event: result' <<<"$events" | member text)"

job=$(ask -F "file=@$file" -F source_language=en -F target_language=pt "$url/api/v1/documents" | member job_id)
ask "$url/api/v1/documents/$job/download?wait=60" >"$file.pt"
echo "document: $(wc -c <"$file.pt") bytes in $file.pt"
