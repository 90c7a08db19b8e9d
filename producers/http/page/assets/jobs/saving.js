// Hands a translation to the browser as a file.

import { element } from "../elements.js";

const KEPT_MS = 10_000;

// Saves bytes under a name. The address of the bytes lives long enough for the browser to read them.
export function saveAs(blob, name) {
  const url = URL.createObjectURL(blob);
  element("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
}

// Saves the translation of a job: the file of a document, or the text of a text. Throws an ApiError.
export async function save(api, entry) {
  saveAs(await api.jobFile(entry.id), entry.outcome?.file || textName(entry));
}

function textName({ title, target }) {
  const letters = title.replace(/\.(txt|text)$/i, "").replaceAll(/[^\p{L}\p{N}._ -]+/gu, "");
  const name = letters.slice(0, 60).replace(/[. ]+$/, "");
  return `${name || "translation"}.${target}.txt`;
}
