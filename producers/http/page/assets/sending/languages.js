// The languages that can be chosen: what ready workers have announced, by their English names.

import { languageName } from "../wording.js";

const CHOICE = "dragoman.languages";

export class LanguageChoice {
  // `onChosen()`: another pair is chosen.
  constructor(source, target, swap, onChosen) {
    this.#source = source;
    this.#target = target;
    this.#swap = swap;
    this.#onChosen = onChosen;
    source.addEventListener("change", () => this.#sourceChanged());
    target.addEventListener("change", () => this.#keep());
    swap.addEventListener("click", () => this.#swapLanguages());
  }

  #source;
  #target;
  #swap;
  #onChosen;
  #sets = [];

  // `languages`: the answer of GET /api/v1/languages.
  offer(languages) {
    this.#sets = languages.sets;
    const chosen = this.#chosen();
    fill(this.#source, [["auto", "Detect language"], ...named(languages.sources)], chosen.source ?? "auto");
    this.#offerTargets(chosen.target ?? spoken(this.#targetsOf(this.source)));
  }

  get isEmpty() {
    return this.#sets.length === 0;
  }

  get source() {
    return this.#source.value;
  }

  get target() {
    return this.#target.value;
  }

  #targetsOf(source) {
    const fitting = this.#sets.filter((one) => source === "auto" || one.sources.includes(source));
    return [...new Set(fitting.flatMap((one) => one.targets))].filter((target) => target !== source).sort();
  }

  #offerTargets(wanted) {
    fill(this.#target, named(this.#targetsOf(this.source)), wanted);
    this.showSwap();
  }

  // A pair may be swapped where the other way is served, too.
  showSwap() {
    this.#swap.disabled = !this.#targetsOf(this.target).includes(this.source);
  }

  #sourceChanged() {
    this.#offerTargets(this.target);
    this.#keep();
  }

  #swapLanguages() {
    const [source, target] = [this.source, this.target];
    this.#source.value = target;
    this.#offerTargets(source);
    this.#keep();
  }

  #keep() {
    this.showSwap();
    this.#onChosen();
    try {
      localStorage.setItem(CHOICE, JSON.stringify({ source: this.source, target: this.target }));
    } catch {
      // A full or forbidden storage: the choice lives as long as the page.
    }
  }

  #chosen() {
    try {
      return JSON.parse(localStorage.getItem(CHOICE)) ?? {};
    } catch {
      return {};
    }
  }
}

// Returns the language of the person before the browser, where it is among the targets.
function spoken(targets) {
  const wanted = navigator.languages.flatMap((tag) => [tag, tag.split("-")[0]]);
  return wanted.find((tag) => targets.includes(tag));
}

function named(tags) {
  return tags.map((tag) => [tag, languageName(tag)]).sort(([, one], [, other]) => one.localeCompare(other, "en"));
}

function fill(select, choices, wanted) {
  select.replaceChildren(...choices.map(([value, name]) => new Option(name, value)));
  if (choices.some(([value]) => value === wanted)) select.value = wanted;
}
