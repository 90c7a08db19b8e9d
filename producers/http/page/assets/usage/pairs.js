// Parts a language pair, SOURCE-TARGET. Pure.

// The target begins at a dash with the small letters of a language behind it: regions and scripts have others.
const TARGET = /^(.+?)-([a-z]{2,3}(?:-.+)?)$/;

// Returns [source, target]; the name alone where it is no pair.
export function pairOf(name) {
  const [, source, target] = TARGET.exec(name) ?? [];
  return target ? [source, target] : [name];
}
