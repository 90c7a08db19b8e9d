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

// A name keeps its colour while the page is open, though the order of sizes changes.
export class Colors {
  constructor() {
    this.known = new Map();
  }

  of(name) {
    if (FIXED[name]) return FIXED[name];
    if (!this.known.has(name)) this.known.set(name, ROTATION[this.known.size % ROTATION.length]);
    return this.known.get(name);
  }
}

const style = () => getComputedStyle(document.documentElement);
export const valueOf = (color) => style().getPropertyValue(`--series-${color}`).trim();
export const tone = (name) => style().getPropertyValue(`--${name}`).trim();
