// The jobs behind a peak, in a dialog whose range stands in the address.

import { panel as askPanel, panelPath } from "./api.js";
import { byId, element } from "./elements.js";
import { Table } from "./table_view.js";
import { momentOf } from "./units.js";
import { queryOf } from "./view_state.js";

export class JobsDialog {
  // `on`: change(jobs or null), filter(name, value), refused(problem).
  constructor(panel, on) {
    Object.assign(this, { panel, on });
    this.dialog = byId("jobs");
    this.sorting = {};
    byId("jobs-close").addEventListener("click", () => this.dialog.close());
    this.dialog.addEventListener("close", () => this.jobs && this.on.change(null));
    for (const name of ["order", "state"]) {
      byId(`jobs-${name}`).addEventListener("change", (event) => this.on.change({ ...this.jobs, [name]: event.target.value }));
    }
    this.dialog.addEventListener("submit", (event) => event.preventDefault());
  }

  // Shows these jobs, or closes where there are none to show.
  async show(jobs, state) {
    const key = JSON.stringify([jobs, queryOf(state).toString()]);
    if (key === this.key) return;
    [this.key, this.jobs] = [key, jobs];
    if (!jobs) {
      this.dialog.close();
      return;
    }
    if (!this.dialog.open) this.dialog.showModal();
    byId("jobs-title").textContent = `Jobs answered ${momentOf(jobs.from)} – ${momentOf(jobs.to)}`;
    byId("jobs-order").value = jobs.order;
    byId("jobs-state").value = jobs.state;
    const query = queryOf({ ...state, from: jobs.from, to: jobs.to, compare: "" });
    query.set("order", jobs.order);
    if (jobs.state) query.set("state", jobs.state);
    byId("jobs-csv").href = panelPath("jobs", new URLSearchParams([...query, ["format", "csv"]]));
    await this.#fill(query, key);
  }

  async #fill(query, key) {
    const body = byId("jobs-body");
    body.replaceChildren(element("p", { className: "state waiting", textContent: "Loading" }));
    try {
      const { rows } = await askPanel("jobs", query);
      if (key !== this.key) return;
      const none = element("p", { className: "state", textContent: "No such jobs in this step." });
      this.sorting = { isOpen: true };
      const filter = (name, value) => this.on.filter(name, value);
      body.replaceChildren(rows.length ? new Table("Jobs", this.panel.columns, rows, this.sorting, { filter }).view : none);
    } catch (problem) {
      if (key !== this.key) return;
      if (problem.status === 401) this.on.refused(problem);
      else body.replaceChildren(element("p", { className: "state problem", textContent: `${problem.message} ${problem.cure ?? ""}` }));
    }
  }
}
