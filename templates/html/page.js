// What a reader does with the page: point, step, edit, train; and what is shown then.

const data = JSON.parse(document.getElementById("data").textContent);
const { keys, templates, weights, say } = data;
const $ = (id) => document.getElementById(id);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const CHUNK = 60; // lines shown at once
const LINE = 42; // signs of a row that has room for its result
const PATIENCE = 3000; // milliseconds for the curve of the training
const state = {
  language: document.documentElement.lang,
  given: keys.map((key) => (computes(key) ? null : read(key.t))),
  now: { text: keys.map((key) => key.t), chained: data.format.chained && !data.gave_up },
  stage: data.stages[0], step: -1, chosen: null, pinned: false, sample: 0, update: 0, shown: 0,
};
const weightOf = new Map(weights.map((row) => [row[0], row]));
const order = data.stages.flatMap((stage) => keys.map((_, k) => k).filter((k) => keys[k].s === stage));
const word = (path) => path.split(".").reduce((found, part) => found[part], say[state.language]);
const filled = (path, ...values) => word(path).replace(/\{(\d)\}/g, (_, k) => values[k]);

// --- numbers and formulas as they are written ---------------------------------------------------

function shape(text) { // a printed number in its parts
  const sign = text.startsWith("-"), bare = sign ? text.slice(1) : text;
  if (bare.includes("/")) return { sign, parts: bare.split("/") };
  const digits = bare.replace(".", "").replace(/^0+/, "");
  if (data.format.decimals !== null || digits === "") return { sign, bare };
  const whole = bare.split(".")[0];
  const first = whole === "0" ? -(bare.split(".")[1].length - digits.length) - 1 : whole.length - 1;
  const short = digits.replace(/0+$/, "");
  if ((first > -6 && first < 9) || (first > 0 && short.length > 5)) return { sign, bare };
  return { sign, bare: short.length > 1 ? `${short[0]}.${short.slice(1)}` : short, power: first };
}
const FORMS = {
  mathml: {
    plain: (t) => `<mn>${t}</mn>`, minus: "<mo form=\"prefix\">\u2212</mo>",
    power: (t, k) => `<mn>${t}</mn><mo>\u00b7</mo><msup><mn>10</mn>${k < 0 ? `<mrow><mo form="prefix">\u2212</mo><mn>${-k}</mn></mrow>` : `<mn>${k}</mn>`}</msup>`,
    over: (p, q) => `<mfrac><mn>${p}</mn><mn>${q}</mn></mfrac>`,
    bracket: (t) => `<mo form="prefix">(</mo>${t}<mo form="postfix">)</mo>`, row: (t) => `<mrow>${t}</mrow>`,
  },
  tex: {
    plain: (t) => t, minus: "-", power: (t, k) => `${t} \\cdot 10^{${k}}`, over: (p, q) => `\\frac{${p}}{${q}}`,
    bracket: (t) => `(${t})`, row: (t) => t,
  },
  text: {
    plain: (t) => t, minus: "\u2212", over: (p, q) => `${p}/${q}`, bracket: (t) => t, row: (t) => t,
    power: (t, k) => `${t}\u00b710${[...String(k)].map((c) => (c === "-" ? "\u207b" : "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"[c])).join("")}`,
  },
};
function numeral(text, form, guard = 0) {
  const s = shape(text);
  let inner = s.parts ? form.over(...s.parts) : s.power === undefined ? form.plain(s.bare) : form.power(s.bare, s.power);
  if (s.sign) inner = form.minus + inner;
  const bracketed = (guard > 0 && s.sign) || (guard > 1 && s.power !== undefined);
  return form.row(bracketed ? form.bracket(inner) : inner);
}
const HOLE = /<mi>(?:&#x0?([0-9A-F]{4});|([\ue000-\uf8ff]))<\/mi>|([\ue000-\uf8ff])/g;
function fill([number, holes], values, form) { // a row with names or with numbers in its holes
  const template = templates[number], name = form === FORMS.mathml ? "m" : "x";
  return template[name].replace(HOLE, (_, code, sign, bare) => {
    const k = (code ? parseInt(code, 16) : (sign || bare).charCodeAt(0)) - 0xe000;
    return values ? numeral(state.now.text[holes[k]], form, Number(template.g[k])) : keys[holes[k]][name];
  });
}
const EQUALS = "<mo form=\"infix\">=</mo>";
const long = (tex) => tex.replace(/\\[a-z]+|[{}\\ ^_]/g, "").length > LINE;
function rowsOf(k) { // the rows of a line: what they are, MathML, TeX
  const key = keys[k], found = [];
  const result = (form) => numeral(state.now.text[k], form);
  key.d.forEach((group, g) => {
    group.forEach((row, r) => found.push({ kind: "f", more: r > 0, m: fill(row, false, FORMS.mathml), x: fill(row, false, FORMS.tex) }));
  });
  const apart = key.v.length > 0 && long(fill(key.v[key.v.length - 1], true, FORMS.tex)); // the result has its own row
  key.v.forEach((row, r) => {
    const last = r === key.v.length - 1 && !apart;
    found.push({
      kind: r ? "v" : "v first", more: r > 0,
      m: fill(row, true, FORMS.mathml) + (last ? EQUALS + result(FORMS.mathml) : ""),
      x: fill(row, true, FORMS.tex) + (last ? ` = ${result(FORMS.tex)}` : ""),
    });
  });
  const only = key.d.length ? "" : " only";
  found.push({ kind: apart ? "r own" : key.v.length ? "r" : `r first${only}`, more: false, m: result(FORMS.mathml), x: result(FORMS.tex) });
  return found;
}
function texOf(k) {
  const rows = rowsOf(k).filter((row) => row.kind !== "r"); // it stands behind the numbers
  return keys[k].x + rows.map((row) => (row.more ? ` ${row.x}` : ` = ${row.x}`)).join("");
}
function escaped(text) {
  return text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" }[c]));
}
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}
const math = (m, x, block = false) => `<math${block ? ' displaystyle="true"' : ""}><semantics><mrow>${m}</mrow><annotation encoding="application/x-tex">${escaped(x)}</annotation></semantics></math>`;
const spoken = (k) => keys[k].n.replace("_total", "").replace(/_/g, " ");
const seen = (k) => numeral(state.now.text[k], FORMS.text);

// --- the derivation -----------------------------------------------------------------------------

function line(k) {
  const key = keys[k], item = element("li", { "data-key": k });
  item.append(element("p", { class: "note" }, word(`kinds.${key.k}`)));
  const copy = element("button", { type: "button", class: "copy", "aria-label": `${word("copy")}: ${spoken(k)}` }, "LaTeX");
  copy.addEventListener("click", () => copied(copy, texOf(k)));
  const rows = element("div", { class: "rows", tabindex: "0", role: "group", "aria-label": spoken(k) });
  item.append(copy, rows);
  put(rows, k);
  return item;
}
function put(rows, k) {
  rows.innerHTML = rowsOf(k).map((row) => {
    const head = `<mrow class="head">${keys[k].m}</mrow>`;
    return `<div class="row ${row.kind}">${math(row.more ? row.m : head + EQUALS + row.m, row.x, true)}</div>`;
  }).join("");
}
async function copied(button, text) {
  try { await navigator.clipboard.writeText(text); } catch {
    const area = element("textarea", { "aria-hidden": "true" });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
    button.focus();
  }
  $("status").textContent = word("copied");
}
function leaves(tree) {
  return typeof tree === "number" ? [tree] : Array.isArray(tree) ? tree.slice(1).flatMap(leaves) : [];
}
function behind(k) { // a derivative with those that it is made of, in the order of the page
  const found = new Set(), waiting = [k];
  while (waiting.length) {
    const each = waiting.pop();
    if (found.has(each)) continue;
    found.add(each);
    waiting.push(...leaves(keys[each].f).filter((n) => keys[n].s === "gradients"));
  }
  return [...found].sort((a, b) => a - b);
}
function linesNow() {
  if (state.chosen === null) return order.filter((k) => keys[k].s === state.stage);
  const [, gradient, after] = weightOf.get(state.chosen);
  return [...(gradient === null ? [] : behind(gradient)), ...(after === null ? [] : [after])];
}
function showLines(keep = false) {
  const lines = linesNow(), at = state.chosen === null ? Math.max(0, lines.indexOf(order[state.step])) : 0;
  if (!keep) state.shown = CHUNK * Math.ceil((at + 1) / CHUNK);
  $("lines").replaceChildren(...lines.slice(0, state.shown).map(line));
  $("more").hidden = lines.length <= state.shown;
  $("whole").hidden = state.chosen === null;
  const told = $("told");
  told.replaceChildren();
  if (state.chosen !== null) {
    told.innerHTML = filled("of_weight", math(keys[state.chosen].m, keys[state.chosen].x));
    told.append(" ", field(state.chosen));
  }
  $("stage-note").textContent = state.chosen === null ? word(`stage_notes.${state.stage}`) : "";
  mark();
}
function mark() {
  const current = state.step >= 0 ? order[state.step] : null;
  for (const item of all("#lines > li")) {
    const here = Number(item.dataset.key) === current && state.chosen === null;
    item.classList.toggle("current", here);
    if (here) item.setAttribute("aria-current", "step"); else item.removeAttribute("aria-current");
  }
  for (const button of all("#stages button")) button.setAttribute("aria-pressed", String(state.chosen === null && button.dataset.stage === state.stage));
}

// --- the picture --------------------------------------------------------------------------------

function light() {
  let places = new Set(), factors = new Set();
  if (state.chosen !== null) {
    const [weight, gradient] = weightOf.get(state.chosen), way = gradient === null ? [] : behind(gradient);
    places = new Set([`w${weight}`, ...way.flatMap((k) => keys[k].p)]);
    for (const k of way) for (const n of leaves(keys[k].f)) if (weightOf.has(n)) places.add(`w${n}`);
    factors = new Set(way);
  } else if (state.step >= 0) {
    const k = order[state.step];
    places = new Set([...keys[k].p, ...leaves(keys[k].f).flatMap((n) => (weightOf.has(n) ? keys[n].p : []))]);
    factors = new Set([k]);
  }
  for (const part of all(".net [data-place]")) {
    part.classList.toggle("lit", places.has(part.dataset.place));
    part.classList.toggle("chosen", part.dataset.place === `w${state.chosen}`);
    if (part.dataset.weight) part.setAttribute("aria-pressed", String(part.dataset.weight === String(state.chosen)));
  }
  for (const end of all(".net .end")) end.classList.toggle("lit", places.has("E") && places.has(end.dataset.from));
  for (const factor of all(".net [data-factor]")) factor.classList.toggle("lit", factors.has(Number(factor.dataset.factor)) && (!factor.dataset.sample || Number(factor.dataset.sample) === state.sample));
  for (const net of all(".net")) net.classList.toggle("way", places.size > 0);
}
function choose(weight, pinned = false) {
  state.chosen = weight;
  state.pinned = pinned && weight !== null;
  if (weight !== null) state.step = -1;
  showLines();
  light();
  announce();
}
function announce() {
  const status = $("status");
  if (state.chosen !== null) {
    const [weight, gradient] = weightOf.get(state.chosen);
    status.textContent = gradient === null ? filled("weight_label", spoken(weight), seen(weight))
      : filled("gradient_label", spoken(weight), seen(weight), seen(gradient));
  } else if (state.step >= 0) status.textContent = filled("step", state.step + 1, order.length, spoken(order[state.step]));
  else status.textContent = "";
}
function numbers() { // every number that stands outside the lines
  for (const part of all("[data-value]")) {
    const list = part.dataset.value.split(" ");
    part.textContent = seen(Number(list[Math.min(state.sample, list.length - 1)]));
  }
  for (const part of all(".net [data-weight]")) {
    const k = Number(part.dataset.weight);
    part.setAttribute("aria-label", filled("weight_label", spoken(k), seen(k)));
  }
  for (const input of all("input[data-edit]")) {
    if (input !== document.activeElement) input.value = state.now.text[Number(input.dataset.edit)];
    input.setAttribute("aria-label", spoken(Number(input.dataset.edit)));
  }
  $("count").textContent = `${state.update} (${spoken(data.loss)} = ${seen(data.loss)})`;
}

// --- given numbers ------------------------------------------------------------------------------

function field(k) {
  const input = element("input", { type: "text", inputmode: "text", autocomplete: "off", spellcheck: "false", "data-edit": k, "aria-label": spoken(k) });
  input.value = state.now.text[k];
  input.addEventListener("input", () => edited(input, k));
  input.addEventListener("change", () => { if (input.getAttribute("aria-invalid") !== "true") input.value = state.now.text[k]; });
  return input;
}
function edited(input, k) {
  const value = read(input.value), wrong = value === null ? word("wrong") : tried(k, value);
  if (wrong) input.setAttribute("aria-invalid", "true"); else input.removeAttribute("aria-invalid");
  $("wrong").textContent = wrong;
}
function tried(k, value) { // what is wrong with a value; nothing if the page has taken it
  const before = state.given[k];
  state.given[k] = value;
  const wrong = renewed();
  if (wrong) { state.given[k] = before; return wrong; }
  state.update = 0;
  $("update").value = 0;
  begin();
  return "";
}
function renewed() { // compute all numbers anew
  try { state.now = computed(keys, state.given, data.format); } catch (error) {
    if (!(error instanceof NoValue)) throw error;
    return filled("no_value", error.key === undefined ? "" : spoken(error.key));
  }
  refresh();
  return "";
}
function refresh() {
  for (const rows of all("#lines .rows")) put(rows, Number(rows.parentElement.dataset.key));
  numbers();
  announce();
  rounding();
}
function rounding() {
  const f = data.format, up = word(`rounding.${f.half_up ? "half_up" : "half_even"}`);
  const start = f.decimals !== null ? filled("rounding.decimals", f.decimals, up) : filled("rounding.digits", f.digits, up);
  $("rounding").textContent = start + word(`rounding.${state.now.chained ? "chained" : f.chained ? "gave_up" : "unchained"}`);
}
function cell(k) { return element("td", { "data-value": k === null ? "" : k }); }
function table(caption, heads, rows) {
  const made = element("table", {}, element("caption", {}, caption));
  const head = element("tr");
  for (const each of heads) head.append(element("th", { scope: "col" }, each));
  made.append(element("thead", {}, head), element("tbody", {}, ...rows));
  return element("div", { class: "scroll" }, made);
}
function tables() {
  const named = (k, button) => {
    const inner = element(button ? "button" : "span", button ? { type: "button", "data-choose": k } : {});
    inner.innerHTML = math(keys[k].m, keys[k].x);
    if (button) { inner.setAttribute("aria-label", spoken(k)); inner.addEventListener("click", () => { choose(k, true); $("derivation").scrollIntoView(); }); }
    if (!button) {
      inner.setAttribute("aria-hidden", "true");
      return element("th", { scope: "row" }, element("span", { class: "spoken" }, spoken(k)), inner);
    }
    return element("th", { scope: "row" }, inner);
  };
  const plain = keys.map((_, k) => k).filter((k) => !computes(keys[k]) && !weightOf.has(k));
  const first = table(word("given"), [word("column_name"), word("column_value")],
    plain.map((k) => element("tr", {}, named(k, false), element("td", {}, field(k)))));
  const second = table(word("parameters"), ["column_name", "column_value", "column_gradient", "column_new"].map(word),
    weights.map(([k, gradient, after]) => element("tr", {}, named(k, true), element("td", {}, field(k)),
      gradient === null ? element("td") : cell(gradient), after === null ? element("td", {}, word("frozen")) : cell(after))));
  $("tables").replaceChildren(first, second);
}

// --- training -----------------------------------------------------------------------------------

const course = { step: null, points: [], losses: [], timer: 0, spent: 0 };
function begin() { // a new training, from the numbers that are given now
  const updates = weights.filter((row) => row[2] !== null).map(([before, , after]) => [before, after]);
  course.step = training(keys, updates, data.loss);
  course.points = [state.given.map((a) => (a === null ? 0 : withDigits(20, () => asDouble(a))))];
  course.losses = [];
  course.spent = 0;
  clearTimeout(course.timer);
  course.timer = setTimeout(train, 50);
}
const EVERY = 100; // updates from one kept point to the next
function reach(number, until = Infinity) { // go on to an update; false where time or range ends
  while (course.losses.length <= number) {
    if (performance.now() > until) return false;
    const k = course.losses.length;
    const { loss, next } = course.step(course.last && course.last.k === k ? course.last.values : at(k));
    if (!isFinite(loss) || !next.every(isFinite)) { course.end = k; return false; }
    course.losses.push(loss);
    course.last = { k: k + 1, values: next };
    if ((k + 1) % EVERY === 0) course.points[(k + 1) / EVERY] = next;
  }
  return true;
}
function at(number) { // the numbers after an update, from the last point that was kept
  const point = Math.min(Math.floor(number / EVERY), course.points.length - 1);
  let values = course.points[point];
  for (let k = point * EVERY; k < number; k += 1) values = course.step(values).next;
  return values;
}
function train() {
  const start = performance.now();
  const done = reach(data.steps, start + 25) || course.end !== undefined;
  course.spent += performance.now() - start;
  if (!done && course.spent < PATIENCE) course.timer = setTimeout(train, 5);
  curve();
}
function curve() {
  const losses = course.losses, n = Math.max(1, data.steps), top = Math.max(...losses.slice(0, 1), ...losses) || 1;
  const every = Math.max(1, Math.floor(losses.length / 200));
  const points = losses.filter((_, k) => k % every === 0 || k === losses.length - 1)
    .map((e, k) => `${(300 * Math.min(k * every, losses.length - 1)) / n},${(85 - 80 * (e / top)).toFixed(2)}`);
  const x = (300 * state.update) / n;
  $("curve").innerHTML = `<path d="M0 0V85H300"/><polyline points="${points.join(" ")}"/><line x1="${x}" x2="${x}" y1="0" y2="85"/>`;
}
function moved(number) { // the page after a number of updates
  if (number > 0 && !reach(number - 1)) {
    number = course.losses.length;
    $("wrong").textContent = filled("left", number);
    $("update").value = number;
  } else $("wrong").textContent = "";
  const start = at(0), values = at(number), before = state.given.slice();
  for (const [k, , after] of weights) {
    if (after === null) continue;
    state.given[k] = values[k] === start[k] ? state.start[k] : withDigits(DIGITS[0], () => printed(ofDouble(values[k]), data.format).value);
  }
  state.update = number;
  const wrong = renewed();
  if (wrong) { state.given = before; $("wrong").textContent = wrong; }
  curve();
}

// --- the whole page -----------------------------------------------------------------------------

function go(number) {
  state.chosen = null;
  state.step = Math.max(0, Math.min(order.length - 1, number));
  const stage = keys[order[state.step]].s, before = state.stage;
  state.stage = stage;
  const shown = all("#lines > li").some((item) => Number(item.dataset.key) === order[state.step]);
  if (stage !== before || !shown || $("whole").hidden === false) showLines(); else mark();
  light();
  announce();
  const item = all("#lines > li").find((each) => Number(each.dataset.key) === order[state.step]);
  if (item) item.scrollIntoView({ block: "nearest" });
}
function spell() { // all words, in the language of the moment
  document.documentElement.lang = state.language;
  document.title = $("title").textContent = data.title[state.language] || word("untitled");
  for (const part of all("[data-word]")) part.textContent = word(part.dataset.word);
  for (const part of all("[data-label]")) part.setAttribute("aria-label", word(part.dataset.label));
  $("stages").replaceChildren(...data.stages.map((stage) => {
    const button = element("button", { type: "button", "data-stage": stage }, word(`stages.${stage}`));
    button.addEventListener("click", () => { state.stage = stage; state.chosen = null; state.step = -1; showLines(); light(); announce(); });
    return button;
  }));
  tables();
  showLines(true);
  refresh();
}
function colour() {
  const chosen = $("theme").value, dark = matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = chosen === "auto" ? (dark ? "dark" : "light") : chosen;
}
function listen() {
  let waiting = 0;
  for (const part of all(".net [data-weight], .net [data-points]")) {
    const k = Number(part.dataset.weight || part.dataset.points);
    part.addEventListener("pointerenter", (event) => {
      clearTimeout(waiting);
      if (event.pointerType === "mouse" && !state.pinned) waiting = setTimeout(() => choose(k), 60);
    });
    part.addEventListener("pointerleave", () => clearTimeout(waiting));
    part.addEventListener("click", () => choose(k, true));
  }
  for (const part of all(".net [data-weight]")) {
    const k = Number(part.dataset.weight), label = all(`.label[data-points="${k}"]`, part.parentElement)[0];
    part.addEventListener("focus", () => {
      choose(k, state.pinned && state.chosen === k);
      label.classList.toggle("focused", part.matches(":focus-visible"));
    });
    part.addEventListener("blur", () => label.classList.remove("focused"));
    part.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose(k, true); }
    });
  }
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") choose(null); });
  $("language").addEventListener("change", (event) => { state.language = event.target.value; spell(); });
  $("theme").addEventListener("change", colour);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", colour);
  for (const input of all("#view input")) input.addEventListener("change", () => { document.documentElement.dataset.view = input.value; });
  $("back").addEventListener("click", () => go(state.step - 1));
  $("next").addEventListener("click", () => go(state.step + 1));
  $("whole").addEventListener("click", () => choose(null));
  $("more").addEventListener("click", () => { state.shown += CHUNK; showLines(true); });
  $("reset").addEventListener("click", () => {
    state.given = state.start.slice();
    $("wrong").textContent = "";
    for (const input of all("input[data-edit]")) input.removeAttribute("aria-invalid");
    state.update = 0;
    $("update").value = 0;
    renewed();
    begin();
  });
  $("update").addEventListener("input", (event) => moved(Number(event.target.value)));
  $("sample").addEventListener("change", (event) => { state.sample = Number(event.target.value); numbers(); light(); });
}
function start() {
  state.start = state.given.slice();
  $("update").max = data.steps;
  $("training").hidden = !data.steps || !weights.some((row) => row[2] !== null);
  if (data.batch > 1) {
    $("samples").hidden = false;
    for (let k = 0; k < data.batch; k += 1) $("sample").append(element("option", { value: k }, String(k + 1)));
  }
  document.documentElement.dataset.view = "all";
  colour();
  state.shown = CHUNK;
  spell();
  listen();
  begin();
}
start();
