// Reads server-sent events (WHATWG HTML, section 9.2) from chunks of text.
// EventSource cannot send the header that shows the key, so the stream comes by fetch and is read here.

// Yields {name, id, data} for each event that is complete; comments and retry times are passed over.
export async function* eventsOf(chunks) {
  let rest = "";
  for await (const chunk of chunks) {
    // A chunk may end between \r and \n: the \r waits for what follows.
    const text = rest + chunk;
    const whole = text.endsWith("\r") ? text.slice(0, -1) : text;
    const blocks = whole.replaceAll(/\r\n?/g, "\n").split("\n\n");
    rest = blocks.pop() + text.slice(whole.length);
    for (const block of blocks) {
      const event = eventOf(block);
      if (event) yield event;
    }
  }
}

function eventOf(block) {
  const event = { name: "message", id: null, data: null };
  for (const line of block.split("\n")) {
    const colon = line.indexOf(":");
    if (colon === 0) continue;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") event.name = value;
    if (field === "id") event.id = value;
    if (field === "data") event.data = event.data === null ? value : `${event.data}\n${value}`;
  }
  return event.data === null ? null : event;
}
