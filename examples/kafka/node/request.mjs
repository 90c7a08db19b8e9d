// A client that shares no code with Dragoman: send one request event, wait for its result.
// Usage: npm install --prefix examples/kafka/node; node examples/kafka/node/request.mjs BOOTSTRAP TEXT
import { readFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { Consumer, Producer } from '@platformatic/kafka';
import avro from 'avsc';

const [bootstrap, text] = process.argv.slice(2);
const bootstrapBrokers = bootstrap.split(',');
// The same document that the platform serves at /asyncapi.json.
const document = new URL('../../../docs/reference/asyncapi.json', import.meta.url);
const { messages } = JSON.parse(await readFile(document, 'utf8')).components;

function codec(name) {
  const header = Buffer.from(messages[name]['x-single-object-header'], 'hex');
  const type = avro.Type.forSchema(messages[name].payload.schema);
  return {
    encode: (value) => Buffer.concat([header, type.toBuffer(value)]),
    decode: (bytes) => type.fromBuffer(bytes.subarray(header.length)),
    // avsc asks for every field; those that are left out have defaults.
    of: (fields) => {
      const value = {};
      for (const field of type.fields) value[field.name] = fields[field.name] ?? field.defaultValue();
      return value;
    },
  };
}

const request = codec('TranslationRequest');
const result = codec('TranslationResult');
const key = `default/${randomUUID()}`;

// Listening before asking: the answer may come within milliseconds.
const consumer = new Consumer({ clientId: 'example', groupId: randomUUID(), bootstrapBrokers });
const stream = await consumer.consume({
  topics: ['translation.results'],
  mode: 'latest',
  fallbackMode: 'earliest',
  isolationLevel: 'READ_COMMITTED',
});

const producer = new Producer({ clientId: 'example', bootstrapBrokers });
const [tenant, request_id] = key.split('/');
const event = request.of({ tenant, request_id, source_language: 'en', target_language: 'pt', text });
await producer.send({
  messages: [{ topic: 'translation.requests.critical', key: Buffer.from(key), value: request.encode(event) }],
  acks: -1,
});
await producer.close();

for await (const message of stream) {
  if (message.key?.toString() !== key) continue;
  const { status, text: translated } = result.decode(message.value);
  console.log(status, translated);
  break;
}
await consumer.close(true);
