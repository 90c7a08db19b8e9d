// Puts a source and its translation side by side. Pure.
//
// Segmentation keeps all white space between segments, so paragraphs of both correspond one to one. Inside a paragraph
// that an editor wrapped, lines do not: such a paragraph is one row.

const BLANK = /(\n[^\S\n]*(?:\n[^\S\n]*)+)/;

// Returns rows of {source, target, start}: `target` null where nothing has come yet, `start` its offset in the whole
// translation. `isWhole` says that the translation is complete.
export function alignedRows(source, target, isWhole) {
  const [sources, targets] = [pieces(source, BLANK), pieces(target, BLANK)];
  if (isWhole && sources.length !== targets.length) return [{ source, target, start: 0 }];
  return sources.flatMap((one, index) => {
    const other = targets[index];
    const isOpen = !isWhole && index >= targets.length - 1;
    return rowsOf(one.text, other?.text ?? null, other?.start ?? 0, isOpen);
  });
}

function rowsOf(source, target, start, isOpen) {
  if (target === null) return [{ source, target, start }];
  const [sources, targets] = [pieces(source, /(\n)/), pieces(target, /(\n)/)];
  const fits = isOpen ? targets.length <= sources.length : targets.length === sources.length;
  if (!fits) return [{ source, target, start }];
  return sources.map((one, index) => {
    const other = targets[index];
    return { source: one.text, target: other?.text ?? null, start: start + (other?.start ?? 0) };
  });
}

// Splits at `separator`, which must be a group; each piece knows where it begins.
function pieces(text, separator) {
  let at = 0;
  return text.split(separator).flatMap((text, index) => {
    const start = at;
    at += text.length;
    return index % 2 ? [] : [{ text, start }];
  });
}

// Converts marks from code points, which the API counts, to the UTF-16 units that JavaScript counts; ascending.
export function marksInUnits(text, marks) {
  const wanted = marks.filter((mark) => mark.start >= 0).sort((one, other) => one.start - other.start);
  let [points, units] = [0, 0];
  const unitsAt = (point) => {
    for (; points < point && units < text.length; points += 1) units += text.codePointAt(units) > 0xffff ? 2 : 1;
    return units;
  };
  return wanted.map((mark) => {
    const start = unitsAt(mark.start);
    return { ...mark, start, end: unitsAt(mark.start + mark.length) };
  });
}

// Cuts a row of the translation at its marks: [{text, mark}], `mark` null for what is not marked.
export function markedPieces(text, start, marks) {
  const found = [];
  let at = 0;
  for (const mark of marks) {
    const from = Math.max(mark.start - start, at);
    const to = Math.min(mark.end - start, text.length);
    if (from >= to) continue;
    if (from > at) found.push({ text: text.slice(at, from), mark: null });
    found.push({ text: text.slice(from, to), mark });
    at = to;
  }
  if (at < text.length || !found.length) found.push({ text: text.slice(at), mark: null });
  return found;
}

// Cuts a row of the source where the same words stand that the translation left as they were: its holes.
export function markedSource(source, targetPieces) {
  const marks = [];
  let at = 0;
  for (const { text, mark } of targetPieces) {
    const start = mark?.isHole ? source.indexOf(text, at) : -1;
    if (start < 0) continue;
    at = start + text.length;
    marks.push({ ...mark, start, end: at });
  }
  return markedPieces(source, 0, marks);
}
