// The form that lets somebody in, by e-mail address and password or by an API key.

import { byId, tell } from "./elements.js";
import { signInWithKey, signInWithPassword } from "./session.js";
import { sentences } from "./wording.js";

// Calls `onSession(session)` once somebody is signed in.
export function prepareSignIn(onSession) {
  const forms = { password: byId("password-form"), key: byId("key-form") };
  for (const choice of document.getElementsByName("way")) {
    choice.addEventListener("change", () => {
      for (const [way, form] of Object.entries(forms)) form.hidden = way !== choice.value;
      tell(byId("sign-in-problem"), "");
    });
  }
  sendBy(forms.password, () => signInWithPassword(byId("email").value, byId("password").value), onSession);
  sendBy(forms.key, () => signInWithKey(byId("key").value), onSession);
}

export function showSignIn(reason = "") {
  byId("sign-in").hidden = false;
  tell(byId("sign-in-problem"), reason);
  const open = byId("password-form").hidden ? "key" : "email";
  byId(open).focus();
}

function sendBy(form, signIn, onSession) {
  const button = form.querySelector("button");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    tell(byId("sign-in-problem"), "");
    try {
      const session = await signIn();
      for (const field of form.querySelectorAll("input")) field.value = "";
      byId("sign-in").hidden = true;
      onSession(session);
    } catch (error) {
      tell(byId("sign-in-problem"), sentences(error));
      form.querySelector("input[type=password]").focus();
    } finally {
      button.disabled = false;
    }
  });
}
