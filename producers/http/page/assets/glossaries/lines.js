// Reads terms from pasted lines: one a line, the term and its translation between a tab, " = ", " → " or ";". Pure.

import { Mistake } from "../attempting.js";

const SEPARATORS = ["\t", " = ", " → ", " -> ", "=", ";"];

// Returns {term: translation}. Throws Mistake, which names the line, what is wrong, and the cure.
export function entriesOf(text) {
  const entries = new Map();
  text.split(/\r?\n/).forEach((line, index) => {
    if (!line.trim()) return;
    const [term, translation] = pairOf(line, index + 1);
    const known = entries.get(term);
    if (known !== undefined && known !== translation) {
      throw new Mistake(`Line ${index + 1}: ${term} has a translation already. Keep one of them.`);
    }
    entries.set(term, translation);
  });
  if (!entries.size) throw new Mistake("There are no terms. Write one a line: release = liberação.");
  return Object.fromEntries(entries);
}

export const linesOf = (entries) => Object.entries(entries).map((pair) => pair.join("\t")).join("\n");

function pairOf(line, number) {
  const separator = SEPARATORS.find((one) => line.includes(one));
  const at = separator ? line.indexOf(separator) : -1;
  const [term, translation] = at < 0 ? [line, ""] : [line.slice(0, at), line.slice(at + separator.length)];
  if (!term.trim() || !translation.trim()) {
    throw new Mistake(`Line ${number} has no translation. Write the term, then = or a tab, then its translation.`);
  }
  return [term.trim(), translation.trim()];
}
