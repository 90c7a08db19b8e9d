// Tries what somebody asked for, and says where they asked what went wrong.

import { tell } from "./elements.js";
import { sentences } from "./wording.js";

// What somebody wrote cannot be used; `message` says why, `cure` what to do.
export class Mistake extends Error {
  constructor(message, cure = "") {
    super(message);
    this.cure = cure;
  }
}

// Runs `act`; what it throws is told in `target`. Returns whether it went well. `onSignedOut()`: the key is dead.
export async function attempted(target, act, onSignedOut) {
  tell(target, "");
  try {
    await act();
    return true;
  } catch (error) {
    if (error.status === 401) onSignedOut();
    else tell(target, sentences(error));
    if (error.status === undefined && !(error instanceof Mistake)) console.error(error);
    return false;
  }
}
