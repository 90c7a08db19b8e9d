// The API keys of a tenant: make one, see them, rotate and revoke them.

import { Mistake, attempted } from "../attempting.js";
import { confirmed, showSecret } from "../dialogs.js";
import { byId, button, element } from "../elements.js";
import { SEPARATOR } from "../jobs/outcomes.js";
import { day } from "../wording.js";

const DAY_MS = 24 * 3600 * 1000;
// What is offered first is chosen.
const EXPIRIES = [[90, "In 90 days"], [30, "In 30 days"], [365, "In a year"], [0, "Never"]];
const OWN = " It is the key that you are signed in with.";
const ROTATION = { overlap_seconds: 3600 };

export class KeysView {
  // `onSignedOut()`: the key is dead.
  constructor({ onSignedOut }) {
    this.#onSignedOut = onSignedOut;
    byId("key-expiry").replaceChildren(...EXPIRIES.map(([days, name]) => new Option(name, days)));
    byId("key-role").addEventListener("change", () => this.#offerScopes());
    byId("key-create").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#create();
    });
  }

  #onSignedOut;
  #api = null;
  #session = null;
  #isCreating = false;

  async open(api, session) {
    this.#api = api;
    this.#session = session;
    const roles = Object.keys(session.grantable_roles);
    byId("key-role").replaceChildren(...roles.map((role) => new Option(role, role)));
    if (roles.includes("member")) byId("key-role").value = "member";
    this.#offerScopes();
    await this.#attempt(() => this.#refresh());
  }

  close() {
    for (const id of ["key-rows", "dead-key-rows"]) byId(id).replaceChildren();
    byId("key-create").reset();
    this.#api = this.#session = null;
  }

  #attempt = (act) => {
    const api = this.#api;
    return attempted(byId("keys-problem"), act, this.#onSignedOut, () => this.#api !== api);
  };

  // All of a role's scopes are chosen at first: a key is narrowed by taking some away.
  #offerScopes() {
    const scopes = this.#session.grantable_roles[byId("key-role").value] ?? [];
    byId("key-scopes").replaceChildren(
      ...scopes.map((scope) =>
        element("label", {}, element("input", { type: "checkbox", value: scope, checked: true }), ` ${scope}`),
      ),
    );
  }

  async #create() {
    // Pressed twice, it would make two keys and show one.
    if (this.#isCreating) return;
    const boxes = [...byId("key-scopes").querySelectorAll("input")];
    const chosen = boxes.filter((box) => box.checked).map((box) => box.value);
    const days = Number(byId("key-expiry").value);
    this.#isCreating = true;
    await this.#attempt(async () => {
      if (!chosen.length) throw new Mistake("a key without scopes may do nothing", "choose one at least");
      const api = this.#api;
      const made = await api.createKey({
        name: byId("key-name").value.trim(),
        role: byId("key-role").value,
        scopes: chosen.length === boxes.length ? [] : chosen,
        expires_at: days ? new Date(Date.now() + days * DAY_MS).toISOString() : null,
      });
      // A secret is shown to nobody but who asked for it.
      if (this.#api !== api) return;
      byId("key-name").value = "";
      this.#offerScopes();
      showNew(made, `Key ${made.name || made.key_id} is made`, "");
      await this.#refresh();
    });
    this.#isCreating = false;
  }

  async #rotate(key) {
    const agreed = await confirmed({
      title: `Rotate ${key.name || key.key_id}?`,
      text: "A new key with the same rights is made. The old one works for one more hour, so that you can replace it.",
      action: "Rotate",
    });
    if (!agreed) return;
    await this.#attempt(async () => {
      const api = this.#api;
      const made = await api.rotateKey(key.key_id, ROTATION);
      if (this.#api !== api) return;
      showNew(made, `${key.name || key.key_id} is rotated`, " The old key works for one more hour.");
      await this.#refresh();
    });
  }

  async #revoke(key) {
    const isOwn = key.key_id === this.#session.keyId;
    const agreed = await confirmed({
      title: `Revoke ${key.name || key.key_id}?`,
      text: `Whoever uses it is refused from now on. This cannot be undone.${isOwn ? OWN : ""}`,
      action: "Revoke",
    });
    if (!agreed) return;
    await this.#attempt(async () => {
      await this.#api.revokeKey(key.key_id);
      await this.#refresh();
    });
  }

  async #refresh() {
    const api = this.#api;
    const keys = await api.keys();
    // Whoever asked may have signed out meanwhile, and somebody else may look.
    if (this.#api !== api) return;
    keys.sort((one, other) => (other.created_at ?? "").localeCompare(one.created_at ?? ""));
    const dead = keys.filter((key) => stateOf(key) !== "Active");
    byId("key-rows").replaceChildren(...keys.filter((key) => !dead.includes(key)).map((key) => this.#row(key)));
    byId("keys-none").hidden = dead.length < keys.length;
    byId("dead-keys").hidden = dead.length === 0;
    byId("dead-key-rows").replaceChildren(...dead.map((key) => this.#row(key)));
  }

  #row(key) {
    const name = key.name || "Without a name";
    const state = stateOf(key);
    const isOwn = key.key_id === this.#session.keyId;
    const facts = [
      key.role,
      key.created_at && `made ${day(key.created_at)}`,
      endOf(key),
    ];
    const known = facts.filter(Boolean);
    const acts = [
      button("Rotate", "quiet small", () => this.#rotate(key), `Rotate ${name}`),
      button("Revoke", "quiet small", () => this.#revoke(key), `Revoke ${name}`),
    ];
    return element(
      "li",
      { className: "entry" },
      element("h3", {}, element("bdi", {}, name), isOwn ? " (this session)" : ""),
      element("p", { className: `pill ${state === "Active" ? "good" : "bad"}` }, state),
      element("p", { className: "facts" }, element("code", {}, key.key_id), SEPARATOR, known.join(SEPARATOR)),
      element("p", { className: "facts scopes" }, ...key.scopes.map((scope) => element("code", {}, scope))),
      ...(state === "Active" ? [element("div", { className: "actions" }, ...acts)] : []),
    );
  }
}

function stateOf(key) {
  if (key.revoked_at) return "Revoked";
  return key.expires_at && Date.parse(key.expires_at) < Date.now() ? "Expired" : "Active";
}

function endOf(key) {
  if (key.revoked_at) return `revoked ${day(key.revoked_at)}`;
  return key.expires_at ? `expires ${day(key.expires_at)}` : "never expires";
}

function showNew(made, title, more) {
  const text = `Copy it now: it is shown this once, and nobody can read it again.${more}`;
  showSecret({ title, text, secret: made.api_key });
}
