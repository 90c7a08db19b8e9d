// Which colour a series has. The colours themselves are CSS variables, so that light, dark and print have their own.

const FIXED = {
  critical: "bad", high: "amber", standard: "teal",
  "50 %": "teal", "95 %": "amber", "99 %": "bad",
  busy: "teal", idle: "grey", starting: "blue", draining: "violet",
  "tenants pay": "teal", "work costs": "amber",
  users: "teal", tenants: "blue",
  "from memory": "teal",
  others: "grey",
};
const ROTATION = ["teal", "blue", "amber", "rose", "violet", "olive", "sky", "brown"];

// A tenant, a pair or a cause has one colour on all panels, and keeps it while the page is open.
export class Colors {
  constructor() {
    this.known = {};
  }

  // `kind`: what the series are.
  of(kind, name) {
    if (FIXED[name]) return FIXED[name];
    const known = (this.known[kind] ??= new Map());
    if (!known.has(name)) known.set(name, ROTATION[known.size % ROTATION.length]);
    return known.get(name);
  }
}

const style = () => getComputedStyle(document.documentElement);
export const valueOf = (color) => style().getPropertyValue(`--series-${color}`).trim();
export const tone = (name) => style().getPropertyValue(`--${name}`).trim();
