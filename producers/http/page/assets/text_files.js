// Reads plain-text files in the browser, and says of every other file why it is refused.

const MOST_BYTES = 4_000_000;
const PLAIN = /\.(txt|text)$/i;
const DECLARED = "text/plain";
const LAYOUT = /\.(docx?|odt|rtf|pdf|pptx?|odp|xlsx?|ods|epub|html?|xml|md|csv|json|ya?ml|srt|vtt|po|xliff?)$/i;

export class RefusedFile extends Error {}

// Returns the text of a file. Throws RefusedFile, whose message names the file and the reason.
export async function readTextFile(file) {
  if (!PLAIN.test(file.name) && (file.type !== DECLARED || LAYOUT.test(file.name))) {
    throw new RefusedFile(`${file.name} is no plain text. ${cureOf(file.name)}`);
  }
  if (file.size > MOST_BYTES) {
    const megabytes = Math.ceil(file.size / 1e6);
    throw new RefusedFile(`${file.name} has ${megabytes} MB; at most ${MOST_BYTES / 1e6} MB go at once. Split it.`);
  }
  const text = decoded(await file.arrayBuffer(), file.name);
  if (!text.trim()) throw new RefusedFile(`${file.name} is empty.`);
  return text;
}

function cureOf(name) {
  if (LAYOUT.test(name)) return "Formats with a layout cannot be sent from this page yet: save it as plain text (.txt).";
  return "Only .txt files can be sent from this page.";
}

function decoded(bytes, name) {
  const [first, second] = new Uint8Array(bytes, 0, Math.min(2, bytes.byteLength));
  const encoding = first === 0xff && second === 0xfe ? "utf-16le" : first === 0xfe && second === 0xff ? "utf-16be" : "utf-8";
  let text;
  try {
    text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    throw new RefusedFile(`${name} is not in UTF-8. Save it in that encoding.`);
  }
  if (text.includes("\0")) throw new RefusedFile(`${name} is no plain text: it holds binary data.`);
  return text.replaceAll("\r\n", "\n");
}
