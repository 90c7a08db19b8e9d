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
// `isOver()`: whoever asked has signed out meanwhile, and what becomes of it concerns nobody who may be in now.
export async function attempted(target, act, onSignedOut, isOver = () => false) {
  tell(target, "");
  try {
    await act();
    return true;
  } catch (error) {
    if (isOver()) return false;
    if (error.status === 401) onSignedOut();
    else tell(target, sentences(error));
    if (error.status === undefined && !(error instanceof Mistake)) console.error(error);
    return false;
  }
}
