// Follows a job from its first event to its result, over lost connections and restarts of the server.

import { ApiError } from "../api.js";
import { eventsOf } from "./event_stream.js";

const FIRST_PAUSE_SECONDS = 1;
const LONGEST_PAUSE_SECONDS = 20;

// Calls `onBatch(batch)` for each part of the text, in its order, and `onResult(job)` once; `onTrouble(error, seconds)`
// before each pause. Throws an ApiError that no repetition helps against. Ends when `signal` is aborted.
export async function follow(api, id, { onBatch, onResult, onTrouble }, signal) {
  let lastEventId = null;
  let pause = FIRST_PAUSE_SECONDS;
  while (!signal.aborted) {
    try {
      for await (const event of eventsOf(api.events(id, lastEventId, signal))) {
        pause = FIRST_PAUSE_SECONDS;
        lastEventId = event.id ?? lastEventId;
        if (event.name === "batch") onBatch(JSON.parse(event.data));
        if (event.name === "result") return onResult(JSON.parse(event.data));
      }
      const job = await api.job(id);
      if (job.is_finished) return onResult(job);
    } catch (error) {
      if (signal.aborted) return undefined;
      if (!(error instanceof ApiError) || !error.mayPass) throw error;
      pause = error.retryAfterSeconds ?? Math.min(2 * pause, LONGEST_PAUSE_SECONDS);
      onTrouble(error, pause);
    }
    await sleep(pause, signal);
  }
  return undefined;
}

// Resolves after the seconds, or at once when `signal` is aborted.
export function sleep(seconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, 1000 * seconds);
    signal?.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}
