"""Submit a text and wait, follow another by its events, translate a document. Needs httpx.

Usage: python examples/http/translate.py HTTP_URL API_KEY FILE
"""

import json
import sys
from pathlib import Path

import httpx

url, key, file = sys.argv[1], sys.argv[2], Path(sys.argv[3])
client = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=90)
text = {"text": "Good morning.", "source_language": "en", "target_language": "pt"}


def checked(answer):
    # An error is an RFC 9457 problem: it names the field, the limit and the cure.
    if answer.is_error:
        sys.exit(f"{answer.status_code}: {answer.text}")
    return answer


job = checked(client.post("/api/v1/translations?wait=30", json=text)).json()
# 200: finished; 202: not yet, and status_url shows it.
print("waited:", job["result"]["text"])

job = checked(client.post("/api/v1/translations", json=text)).json()
with client.stream("GET", f"/api/v1/translations/{job['job_id']}/events") as events:
    name = ""
    for line in events.iter_lines():
        field, _, value = line.partition(": ")
        if field == "event":
            name = value
        elif field == "data" and name == "result":
            print("events:", json.loads(value)["result"]["text"])

form = {"source_language": "en", "target_language": "pt"}
job = checked(client.post("/api/v1/documents", data=form, files={"file": (file.name, file.read_bytes())})).json()
translated = checked(client.get(f"/api/v1/documents/{job['job_id']}/download?wait=60"))
target = Path(f"{file}.pt")
target.write_bytes(translated.content)
print(f"document: {len(translated.content)} bytes in {target}")
