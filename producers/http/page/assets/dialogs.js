// Asks before something is lost, and shows what is shown once.

import { byId } from "./elements.js";

// Resolves to true where somebody agrees. `action` names what will be done; Escape and the backdrop say no.
export function confirmed({ title, text, action }) {
  const dialog = byId("confirm");
  byId("confirm-title").textContent = title;
  byId("confirm-text").textContent = text;
  byId("confirm-yes").textContent = action;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

// Shows a secret until it is closed.
export function showSecret({ title, text, secret }) {
  byId("secret-title").textContent = title;
  byId("secret-text").textContent = text;
  byId("secret-value").value = secret;
  byId("secret-copy").textContent = "Copy";
  byId("secret").showModal();
  // Backward, so that its beginning is in sight.
  byId("secret-value").setSelectionRange(0, secret.length, "backward");
}

export function prepareDialogs() {
  byId("confirm-yes").addEventListener("click", () => byId("confirm").close("yes"));
  byId("confirm-no").addEventListener("click", () => byId("confirm").close(""));
  byId("secret-close").addEventListener("click", () => byId("secret").close());
  byId("secret").addEventListener("close", () => (byId("secret-value").value = ""));
  byId("secret-copy").addEventListener("click", copySecret);
}

async function copySecret() {
  const field = byId("secret-value");
  try {
    await navigator.clipboard.writeText(field.value);
    byId("secret-copy").textContent = "Copied";
  } catch {
    field.select();
    byId("secret-copy").textContent = "Copy it by hand: it is selected";
  }
}
