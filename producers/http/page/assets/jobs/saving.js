// Hands a translation to the browser as a file.

import { element } from "../elements.js";

const KEPT_MS = 10_000;

// Saves bytes under a name. The address of the bytes lives long enough for the browser to read them.
export function saveAs(blob, name) {
  const url = URL.createObjectURL(blob);
  element("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
}

// Saves the translation of a job: `text` where it is known, else its file, or its text, as the server has it.
// Throws an ApiError. Several texts of one job are no file to the server.
export async function save(api, entry, text) {
  const content = text === null ? await api.jobFile(entry.id) : new Blob([text], { type: "text/plain" });
  saveAs(content, entry.outcome?.file || textName(entry));
}

function textName({ title, target }) {
  const letters = title.replace(/\.(txt|text)$/i, "").replaceAll(/[^\p{L}\p{N}._ -]+/gu, "");
  const name = letters.slice(0, 60).replace(/[. ]+$/, "");
  return `${name || "translation"}.${target}.txt`;
}
