/* The rule picker: event type -> key paths -> operators -> what the value looks like; by what the
 * events of a requirement differ; which requirements another one comes after, or a penalty can
 * reset. It only helps to choose: the server checks everything again.
 *
 * What there is to choose from stands in the page as JSON (id "rule-picker", made by
 * badges/admin/choices.py). Names of fields: requirements-0-event_type, requirements-0-rules-1-path;
 * on the page of a single penalty event_type, rules-1-path.
 */
"use strict";
(() => {
  const RULE_FIELD = /^(?:(.*)-)?rules-(?:\d+|__prefix__)-(?:path|operator|value)$/;
  const REQUIREMENT_KEY = /^(requirements-\d+)-key$/;
  let picker = null;

  const byName = (name) => document.getElementsByName(name)[0];
  const all = (selector) => [...document.querySelectorAll(selector)];

  // Rules

  function eventTypeOf(field) {
    const owner = RULE_FIELD.exec(field.name)[1];
    const select = byName(owner ? `${owner}-event_type` : "event_type");
    return select ? select.value : "";
  }

  function rowOf(path) {
    const start = path.name.slice(0, -"path".length);
    return { path, operator: byName(`${start}operator`), value: byName(`${start}value`) };
  }

  function option(value, label, chosen) {
    return new Option(label, value, value === chosen, value === chosen);
  }

  /* Keeps what is chosen when the event type has it too. */
  function offer(select, paths, nothing) {
    const kept = paths.some((each) => each.path === select.value) ? select.value : "";
    const groups = new Map();
    for (const each of paths) {
      if (!groups.has(each.group)) {
        const group = document.createElement("optgroup");
        group.label = each.group;
        groups.set(each.group, group);
      }
      groups.get(each.group).append(option(each.path, each.label, kept));
    }
    select.replaceChildren(option("", nothing, kept), ...groups.values());
  }

  function fillPaths(row, eventType) {
    offer(row.path, picker.paths[eventType] || [], picker.choose);
    row.path.dataset.eventType = eventType;
    fillOperators(row, eventType);
  }

  function kindOf(row, eventType) {
    const found = (picker.paths[eventType] || []).find((each) => each.path === row.path.value);
    return found ? found.kind : null;
  }

  function fillOperators(row, eventType) {
    const kind = kindOf(row, eventType);
    const operators = kind ? picker.operators[kind] : [];
    const fits = operators.some((each) => each.name === row.operator.value);
    const kept = fits ? row.operator.value : operators.length ? operators[0].name : "";
    row.operator.replaceChildren(
      option("", picker.choose, kept),
      ...operators.map((each) => option(each.name, each.label, kept)),
    );
    showExample(row, eventType);
  }

  function showExample(row, eventType) {
    const takes = picker.takes[row.operator.value];
    const example = picker.examples[kindOf(row, eventType)] || "";
    row.value.readOnly = takes === "NOTHING";
    if (takes === "NOTHING") {
      row.value.value = "";
      row.value.placeholder = "no value";
    } else if (takes === "LIST") {
      row.value.placeholder = "separated by commas";
    } else if (takes === "PATTERN") {
      row.value.placeholder = "regular expression, for example ^course-v1:Acme";
    } else {
      row.value.placeholder = takes === "TEXT" ? "text" : example;
    }
  }

  /* Rows that were made for another event type than their owner has now. */
  function refreshRules() {
    for (const path of all("select[data-rule=path]")) {
      const eventType = eventTypeOf(path);
      if (path.dataset.eventType !== eventType) {
        fillPaths(rowOf(path), eventType);
      } else {
        showExample(rowOf(path), eventType);
      }
    }
  }

  // Repetition and order

  const REPEATED = "select[data-rule=distinct-by]";

  function eventTypeBeside(select) {
    return byName(select.name.replace(/distinct_by$/, "event_type")).value;
  }

  function refreshRepetition() {
    for (const select of all(REPEATED)) {
      const eventType = eventTypeBeside(select);
      if (select.dataset.eventType !== eventType) {
        const values = (picker.paths[eventType] || []).filter((each) => each.kind !== "OBJECT");
        offer(select, values, picker.any);
        select.dataset.eventType = eventType;
      }
    }
  }

  /* What says something is not hidden. */
  function unfoldRepetition() {
    for (const select of all(REPEATED)) {
      const section = select.closest("details");
      const field = (name) => byName(select.name.replace(/distinct_by$/, name));
      const says = Number(field("count").value) !== 1 || select.value || field("within").value;
      if (section && (says || section.querySelector("input:checked"))) {
        section.open = true;
      }
    }
  }

  // Requirements that others name

  function enteredRequirements() {
    const found = [];
    for (const input of all("input[name^=requirements-]")) {
      const row = (REQUIREMENT_KEY.exec(input.name) || [])[1];
      const deleted = row && byName(`${row}-DELETE`);
      if (row && input.value.trim() && !(deleted && deleted.checked)) {
        const key = input.value.trim();
        const description = byName(`${row}-description`);
        const words = description ? description.value.trim() : "";
        found.push({ row, key, label: words ? `${words} (${key})` : key });
      }
    }
    return found;
  }

  /* The same markup as unfold's list of check boxes. */
  function checkbox(container) {
    const input = document.createElement("input");
    input.type = "checkbox";
    input.name = container.id.replace(/^id_/, "");
    input.className = picker.checkbox_class;
    const label = document.createElement("label");
    label.className = "flex flex-row items-center gap-2";
    label.append(input, document.createElement("span"));
    const line = document.createElement("div");
    line.append(label);
    container.append(line);
    return input;
  }

  function describe(input, requirement) {
    input.value = requirement.key;
    input.dataset.row = requirement.row || "";
    input.closest("label").querySelector("span").textContent = requirement.label;
  }

  /* Keeps what is ticked: a box follows its requirement, by id or, when that changed, by row. */
  function fillNamed(container, requirements) {
    const left = new Set(requirements);
    const inputs = [...container.querySelectorAll("input[type=checkbox]")];
    const take = (input, test) => {
      const found = [...left].find(test);
      if (found) {
        left.delete(found);
        describe(input, found);
      }
      return Boolean(found);
    };
    const moved = inputs.filter((input) => !take(input, (each) => each.key === input.value));
    for (const input of moved) {
      const row = input.dataset.row;
      if (!row || !take(input, (each) => each.row === row)) {
        input.closest("label").parentElement.remove();
      }
    }
    left.forEach((each) => describe(checkbox(container), each));
    container.querySelector("p")?.remove();
    if (!requirements.length) {
      const hint = document.createElement("p");
      hint.textContent = container.dataset.hint || "Add a requirement first.";
      container.append(hint);
    }
  }

  function refreshNamed() {
    if (!byName("requirements-TOTAL_FORMS")) {
      return;
    }
    const requirements = enteredRequirements();
    all("[id^=id_penalties-][id$=-resets]").forEach((each) => fillNamed(each, requirements));
    for (const container of all("[id^=id_requirements-][id$=-after]")) {
      const own = container.id.slice("id_".length, -"-after".length);
      container.dataset.hint = "There is no other requirement yet.";
      fillNamed(container, requirements.filter((each) => each.row !== own));
    }
  }

  async function offerResetsOf(template) {
    const container = document.getElementById("id_resets");
    const url = `${picker.requirements_url}?template=${encodeURIComponent(template)}`;
    const answer = template ? await fetch(url) : null;
    container.dataset.hint = template
      ? "This template has no requirements yet."
      : "Choose the template first.";
    fillNamed(container, answer && answer.ok ? (await answer.json()).requirements : []);
  }

  // Rows that come and go

  /* unfold renumbers the rows behind a removed one by rewriting their HTML: what was typed has to
   * stand in the HTML to survive that, and the buttons inside have to be brought to life again.
   */
  function writeDown(formset) {
    for (const field of formset.querySelectorAll("input, textarea, select")) {
      if (field.type === "checkbox" || field.type === "radio") {
        field.toggleAttribute("checked", field.checked);
      } else if (field.tagName === "SELECT") {
        [...field.options].forEach((each) => each.toggleAttribute("selected", each.selected));
      } else if (field.tagName === "TEXTAREA") {
        field.textContent = field.value;
      } else {
        field.setAttribute("value", field.value);
      }
    }
  }

  function reviveAddButtons() {
    const handler = window.addInlineTemplateHandler;
    if (handler) {
      for (const button of all(".form-nested .add-row")) {
        button.removeEventListener("click", handler);
        button.addEventListener("click", handler);
      }
    }
  }

  function start() {
    picker = JSON.parse(document.getElementById("rule-picker").textContent);
    for (const path of all("select[data-rule=path]")) {
      path.dataset.eventType = eventTypeOf(path);
    }
    for (const select of all(REPEATED)) {
      select.dataset.eventType = eventTypeBeside(select);
    }
    unfoldRepetition();
    refreshRules();
    refreshNamed();

    document.addEventListener("change", (event) => {
      const field = event.target;
      const rule = field.dataset && field.dataset.rule;
      if (rule === "event-type") {
        refreshRules();
        refreshRepetition();
      } else if (rule === "path") {
        fillOperators(rowOf(field), eventTypeOf(field));
      } else if (rule === "operator") {
        const start = field.name.slice(0, -"operator".length);
        showExample(rowOf(byName(`${start}path`)), eventTypeOf(field));
      } else if (field.name && field.name.startsWith("requirements-")) {
        refreshNamed();
      }
    });
    document.addEventListener("formset:added", () => {
      refreshRules();
      refreshRepetition();
      refreshNamed();
    });
    document.addEventListener("formset:removed", () => {
      reviveAddButtons();
      refreshRules();
      refreshRepetition();
      refreshNamed();
    });
    document.addEventListener(
      "click",
      (event) => {
        const button = event.target.closest(".delete-template");
        if (button) {
          writeDown(button.closest(".formset"));
        }
      },
      { capture: true },
    );
    // The template of a new penalty: its select is select2's, which tells jQuery only.
    if (picker.requirements_url && byName("template")) {
      django.jQuery(byName("template")).on("change", (event) => offerResetsOf(event.target.value));
      if (!byName("template").value) {
        offerResetsOf("");
      }
    }
  }

  window.addEventListener("DOMContentLoaded", () => {
    if (document.getElementById("rule-picker")) {
      start();
    }
  });
})();
