// Sends texts and files, each once: what is sent again after a lost answer is the same job.

import { sleep } from "../jobs/follow.js";

// A limit that lasts longer is told and not waited for.
const LONGEST_WAIT_SECONDS = 120;

export class Submissions {
  constructor(api) {
    this.#api = api;
  }

  #api;
  // The key under which something was sent last.
  #keys = new Map();

  // Returns what the API says of the accepted job. `one`: {file, text}; `wish`: {source_language, target_language,
  // priority, glossaries}; `onProgress(share)`; `onWait(error, left)` each second while a limit is waited for.
  // Throws the ApiError that no waiting helps against; also when `signal` is aborted.
  async send(one, wish, { signal, onProgress, onWait }) {
    // Stopped while another one was sent.
    signal.throwIfAborted();
    const known = JSON.stringify([nameOf(one), wish]);
    if (!this.#keys.has(known)) this.#keys.set(known, randomKey());
    const key = this.#keys.get(known);
    for (;;) {
      try {
        const accepted = await this.#sent(one, wish, key, { signal, onProgress });
        this.#keys.delete(known);
        return accepted;
      } catch (error) {
        const seconds = error.retryAfterSeconds;
        if (!seconds || seconds > LONGEST_WAIT_SECONDS || signal.aborted) throw error;
        for (let left = seconds; left > 0 && !signal.aborted; left -= 1) {
          onWait(error, left, left === seconds);
          await sleep(1, signal);
        }
        if (signal.aborted) throw error;
      }
    }
  }

  #sent({ file, text }, wish, key, how) {
    if (text !== null) return this.#api.submit({ text, ...wish }, key);
    const form = new FormData();
    for (const [name, value] of Object.entries(wish)) for (const each of [value].flat()) form.append(name, each);
    form.append("file", file, file.name);
    return this.#api.upload(form, key, how);
  }
}

const nameOf = ({ file, text }) => text ?? [file.name, file.size, file.lastModified];

// crypto.randomUUID() is there on encrypted or local pages only.
function randomKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
