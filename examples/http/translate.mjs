// Submit a text and wait, follow another by its events, translate a document. Needs Node 20, and nothing else.
// Usage: node examples/http/translate.mjs HTTP_URL API_KEY FILE
import { readFile, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';

const [url, key, file] = process.argv.slice(2);
const text = { text: 'Good morning.', source_language: 'en', target_language: 'pt' };

async function ask(path, options = {}) {
  const headers = { Authorization: `Bearer ${key}`, ...options.headers };
  const answer = await fetch(new URL(path, url), { ...options, headers });
  // An error is an RFC 9457 problem: it names the field, the limit and the cure.
  if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
  return answer;
}

const posted = (body) => ({
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(body),
});

const finished = await (await ask('/api/v1/translations?wait=30', posted(text))).json();
// 200: finished; 202: not yet, and status_url shows it.
console.log('waited:', finished.result.text);

const accepted = await (await ask('/api/v1/translations', posted(text))).json();
const events = await ask(`/api/v1/translations/${accepted.job_id}/events`);
let rest = '';
for await (const part of events.body.pipeThrough(new TextDecoderStream())) {
  const blocks = (rest + part).split('\n\n');
  rest = blocks.pop();
  for (const block of blocks) {
    const event = Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s)));
    if (event.event === 'result') console.log('events:', JSON.parse(event.data).result.text);
  }
}

const form = new FormData();
form.set('source_language', 'en');
form.set('target_language', 'pt');
form.set('file', new Blob([await readFile(file)]), basename(file));
const document = await (await ask('/api/v1/documents', { method: 'POST', body: form })).json();
const download = await ask(`/api/v1/documents/${document.job_id}/download?wait=60`);
const bytes = Buffer.from(await download.arrayBuffer());
await writeFile(`${file}.pt`, bytes);
console.log(`document: ${bytes.length} bytes in ${file}.pt`);
