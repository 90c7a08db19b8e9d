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

// Shows the text, or hides the element where there is none.
export function tell(target, text) {
  target.hidden = !text;
  if (target.textContent !== text) target.textContent = text;
}
