// Builds elements. Texts become text nodes, never markup.

export const byId = (id) => document.getElementById(id);

// `properties` are those of the element; what has a dash, and `role`, is written as an attribute.
export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.includes("-") || key === "role") made.setAttribute(key, value);
    else made[key] = value;
  }
  made.append(...children);
  return made;
}

// A button that does one thing. `label` is what a screen reader says where the words alone do not tell.
export function button(words, className, onClick, label = "") {
  const made = element("button", { type: "button", className }, words);
  if (label) made.setAttribute("aria-label", label);
  made.addEventListener("click", onClick);
  return made;
}

// Shows the text, or hides the element where there is none.
export function tell(target, text) {
  target.hidden = !text;
  if (target.textContent !== text) target.textContent = text;
}
