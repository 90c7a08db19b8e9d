// Decides what becomes of a file that somebody adds: a text to be read side by side, a document, or a refusal.

import { count, size } from "../wording.js";

// A text this long is read on the page; what is longer goes as a document.
const MOST_BYTES = 4_000_000;
const PLAIN = new Set(["txt", "text"]);
// Of an accepted file, where its media type says more than its name does.
const DECLARED = "text/plain";

export class RefusedFile extends Error {}

// Returns {file, name, text}: `text` is null where the file goes as a document. `formats`: those that are taken,
// {extensions, maxBytes}, or null where somebody may send none. Throws RefusedFile: file, limit and cure.
export async function accepted(file, formats) {
  const extension = /\.([^.]+)$/.exec(file.name)?.[1].toLowerCase() ?? "";
  const isPlain = PLAIN.has(extension) || (file.type === DECLARED && !formats?.extensions.has(extension));
  if (!file.size) throw new RefusedFile(`${file.name} is empty. Choose a file with a text in it.`);
  if (isPlain && file.size <= MOST_BYTES) {
    const text = decoded(await file.arrayBuffer());
    if (text?.trim() === "") throw new RefusedFile(`${file.name} is empty. Choose a file with a text in it.`);
    if (text !== null) return { file, name: file.name, text };
  }
  checkDocument(file, extension, formats);
  return { file, name: file.name, text: null };
}

function checkDocument({ name, size: bytes }, extension, formats) {
  if (!formats) {
    const allowed = `Allowed: plain text (.txt, UTF-8) of at most ${size(MOST_BYTES)}.`;
    const cure = "Ask an admin for a role that does.";
    throw new RefusedFile(`${name} cannot be sent: your role sends no documents. ${allowed} ${cure}`);
  }
  if (!formats.extensions.has(extension)) {
    const kinds = [...formats.extensions].sort().join(", ");
    throw new RefusedFile(`${name} is of no format that is translated. Allowed: ${kinds}. Save it as one of these.`);
  }
  if (bytes > formats.maxBytes) {
    throw new RefusedFile(
      `${name} has ${size(bytes)}. Allowed: ${size(formats.maxBytes)}. Split it, or make its pictures smaller.`,
    );
  }
}

export const measureOf = ({ file, text }) => (text === null ? size(file.size) : count(text.length, "character"));

// Returns null for what is no text in UTF-8, or in UTF-16 with a byte order mark.
function decoded(bytes) {
  const [first, second] = new Uint8Array(bytes, 0, Math.min(2, bytes.byteLength));
  const encoding = first === 0xff && second === 0xfe ? "utf-16le" : first === 0xfe && second === 0xff ? "utf-16be" : "utf-8";
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
    return text.includes("\0") ? null : text.replaceAll("\r\n", "\n");
  } catch {
    return null;
  }
}
