// Speaks to the server of SERVER_URL by the client that DeepL publishes for Node.js, and prints what came as JSON.
import { readFile, writeFile } from "node:fs/promises";
import * as deepl from "deepl-node";

const client = new deepl.DeepLClient(process.env.AUTH_KEY, { serverUrl: process.env.SERVER_URL, maxRetries: 0 });
const texts = await client.translateText(["Save", " ", "<b>Open</b>"], "en", "pt-BR", { tagHandling: "html" });
const usage = await client.getUsage();
const languages = await client.getTargetLanguages();
await writeFile("in.txt", "Good morning.");
const status = await client.translateDocument("in.txt", "out.txt", "en", "pt-BR");
const glossary = await client.createMultilingualGlossary("terms", [
  { sourceLangCode: "en", targetLangCode: "pt", entries: new deepl.GlossaryEntries({ entries: { drop: "queda" } }) },
]);
const termed = await client.translateText("A drop", "en", "pt-BR", { glossary: glossary.glossaryId });
const refusal = await client.translateText("Save", "en", "pt-BR", { formality: "more" }).catch((error) => error.message);
console.log(
  JSON.stringify({
    texts: texts.map((one) => one.text),
    characters: usage.character.count,
    languages: languages.map((one) => one.code),
    document: [status.done(), (await readFile("out.txt")).toString()],
    glossary: [glossary.glossaryId, glossary.dictionaries.length],
    termed: termed.text,
    refusal,
  }),
);
