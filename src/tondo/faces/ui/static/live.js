// Live figures: one look a second at the scorers, streamed to every page that shows them.
const SHOWN_S = 300;
const LATELY = 30;
const here = document.querySelector("[data-live]");
const wanted = here.dataset.live;
const charts = [];
const seen = []; // looks, the newest last

const NONE = "–";
const ALL = "*"; // all of an isolated deployment, as its requests were handed on
const shortNumber = (value) => value >= 100 ? Math.round(value).toLocaleString("en") : value >= 10 ? value.toFixed(1) : value.toFixed(value === Math.round(value) ? 0 : 2);
const say = {
  requests_s: shortNumber,
  errors_s: shortNumber,
  refused_s: shortNumber,
  shed_s: shortNumber,
  requests: (value) => value.toLocaleString("en"),
  p50_us: (value) => sayMicros(value),
  p99_us: (value) => sayMicros(value),
};

function sayMicros(value) {
  if (value < 999.5) return `${Math.round(value)} µs`;
  return value < 1e6 ? `${(value / 1000).toPrecision(3)} ms` : `${(value / 1e6).toPrecision(3)} s`;
}

function told(rate, what) {
  const value = rate?.[what];
  return value === null || value === undefined ? NONE : say[what](value);
}

// All variants of a deployment together; latencies do not add, so the slowest is told.
function together(rates, deployment) {
  const whole = rates.find((each) => each.deployment === deployment && each.variant === ALL);
  if (whole?.requests_s) return whole; // an isolated one, of which its variants are parts
  const mine = rates.filter((each) => each.deployment === deployment && each.variant !== ALL);
  if (!mine.length) return null;
  const sum = (what) => mine.reduce((total, each) => each[what] === null ? total : (total ?? 0) + each[what], null);
  const slowest = mine.map((each) => each.p99_us).filter((each) => each !== null);
  return { requests_s: sum("requests_s"), errors_s: sum("errors_s"), p99_us: slowest.length ? Math.max(...slowest) : null };
}

function showList(view) {
  for (const cell of document.querySelectorAll("[data-all]")) {
    cell.textContent = told(together(view.rates, cell.dataset.all), cell.dataset.what);
  }
}

// Without a variant: refused or shed before one was chosen.
function said(variant) { return variant === ALL ? "all variants" : variant || "no variant"; }

function onPage(variant) { return [...document.querySelectorAll("[data-rates] tr")].some((row) => row.dataset.variant === variant); }

function rowOf(variant) {
  const body = document.querySelector("[data-rates]");
  const found = [...body.rows].find((row) => row.dataset.variant === variant);
  if (found) return found;
  const row = body.rows[0].cloneNode(true);
  row.dataset.variant = variant;
  row.dataset.version = "0";
  const key = document.createElement("span");
  key.className = "key bar-key version-0";
  key.textContent = said(variant);
  row.cells[0].replaceChildren(key);
  body.append(row);
  return row;
}

function showTable(view) {
  for (const rate of view.rates) {
    // What ended with a rollout is shown no more; what comes meanwhile is.
    if (!rate.requests_s && !rate.shed_s && !onPage(rate.variant)) continue;
    for (const cell of rowOf(rate.variant).querySelectorAll("[data-what]")) {
      cell.textContent = told(rate, cell.dataset.what);
    }
  }
}

function showLately() {
  const body = document.querySelector("[data-lately]");
  if (!body.closest("details").open) return;
  const rows = seen.slice(-LATELY).reverse().flatMap((view) => view.rates.map((rate) => {
    const row = document.createElement("tr");
    const at = new Date(view.at_us / 1000).toISOString().slice(11, 19);
    const cells = [at, said(rate.variant), told(rate, "requests_s"), told(rate, "p99_us"), told(rate, "errors_s")];
    cells.forEach((text, place) => {
      const cell = document.createElement(place === 1 ? "th" : "td");
      if (place === 1) cell.scope = "row";
      if (place > 1) cell.className = "n";
      cell.textContent = text;
      row.append(cell);
    });
    return row;
  }));
  body.replaceChildren(...rows);
}

function showScorers(view) {
  const list = document.querySelector("[data-scorers]");
  if (!list) return;
  const items = view.scorers.map((scorer) => {
    const item = document.createElement("li");
    const state = document.createElement("span");
    state.className = `state ${scorer.problem ? "bad" : "good"}`;
    state.textContent = scorer.problem ? "down" : "up";
    const address = document.createElement("code");
    address.textContent = scorer.address;
    const rest = document.createElement("span");
    rest.className = "quiet";
    rest.textContent = scorer.problem || scorer.workers.map((worker) => `process ${worker.pid}, plan ${worker.plan ?? NONE}, ${(worker.memory_bytes / 1e6).toFixed(0)} MB${worker.problem ? `; refused the newest plan: ${worker.problem}` : ""}`).join("; ");
    item.append(state, " ", address, " ", rest);
    return item;
  });
  if (!items.length) {
    const item = document.createElement("li");
    item.className = "empty";
    item.append("No scorer runs on this project. ");
    const command = document.createElement("code");
    command.textContent = "tondo serve";
    item.append(command, " starts one; it follows the plan by itself.");
    items.push(item);
  }
  list.replaceChildren(...items);
}

// Charts: uPlot, its colours taken from the stylesheet so that both themes are right.

function colour(name) { return getComputedStyle(document.documentElement).getPropertyValue(name).trim(); }

const PIGMENTS = ["--slate", "--lapis", "--terracotta", "--verdigris", "--plum", "--ochre"];

function drawnVariants() {
  return [...document.querySelectorAll("[data-rates] tr")].map((row) => ({ name: row.dataset.variant, own: PIGMENTS[Number(row.dataset.version)], width: row.dataset.variant === "baseline" ? 1.2 : 2 }));
}

const PARTS = {
  requests_s: [{ what: "requests_s", scale: 1 }],
  latency: [{ what: "p99_us", scale: 1000 }, { what: "p50_us", scale: 1000, dash: [4, 4] }],
  errors_s: [{ what: "errors_s", scale: 1 }, { what: "shed_s", scale: 1, dash: [4, 4] }],
};

function dataOf(parts, variants) {
  const lines = variants.flatMap((variant) => parts.map((part) => seen.map((view) => {
    const value = view.rates.find((each) => each.variant === variant.name)?.[part.what];
    return value === null || value === undefined ? null : value / part.scale;
  })));
  return [seen.map((view) => view.at_us / 1e6), ...lines];
}

function axis(size, values) {
  return { stroke: colour("--muted"), font: "12px system-ui, sans-serif", size, ticks: { show: false }, grid: { stroke: colour("--line"), width: 1 }, ...values };
}

function sayAgo(seconds) { return seconds < 60 ? `−${Math.round(seconds)} s` : `−${Number((seconds / 60).toFixed(1))} min`; }

function makeChart(place) {
  const parts = PARTS[place.dataset.chart];
  const variants = drawnVariants();
  const now = () => seen.length ? seen[seen.length - 1].at_us / 1e6 : Date.now() / 1000;
  // A minute at first, then as far back as was seen.
  const span = () => Math.min(SHOWN_S, Math.max(60, seen.length ? now() - seen[0].at_us / 1e6 : 0));
  const options = {
    width: place.clientWidth,
    height: 190,
    padding: [8, 4, 0, 0],
    legend: { show: false },
    cursor: { points: { size: 6 }, drag: { setScale: false } },
    scales: { x: { range: () => [now() - span(), now()] }, y: { range: (_, __, high) => [0, Math.max(high ?? 0, 1) * 1.1] } },
    axes: [
      axis(26, { values: (_, ticks) => ticks.map((tick) => sayAgo(now() - tick)), splits: () => { const step = span() > 150 ? 60 : span() > 75 ? 30 : 15; return [4, 3, 2, 1].filter((each) => each * step <= span()).map((each) => now() - each * step); } }),
      axis(44, { space: 36, values: (_, ticks) => ticks.map((tick) => tick.toLocaleString("en")) }),
    ],
    series: [{}, ...variants.flatMap((variant) => parts.map((part) => ({ label: said(variant.name), stroke: colour(variant.own), width: variant.width, dash: part.dash, points: { show: false }, spanGaps: false })))],
  };
  const chart = new uPlot(options, dataOf(parts, variants), place);
  return { chart, place, parts, variants };
}

function showCharts() {
  const frame = document.querySelector("[data-charts]");
  if (!frame || typeof uPlot === "undefined") return;
  frame.hidden = false;
  const drawn = drawnVariants().map((each) => each.name).join(" ");
  if (charts.length && charts[0].variants.map((each) => each.name).join(" ") === drawn) {
    for (const each of charts) each.chart.setData(dataOf(each.parts, each.variants));
    return;
  }
  redraw();
}

function redraw() {
  for (const each of charts.splice(0)) each.chart.destroy();
  for (const place of document.querySelectorAll("[data-chart]")) charts.push(makeChart(place));
}

function show(view) {
  document.querySelector("[data-state]").textContent = view.scorers.some((each) => !each.problem) ? "Live: the scorers are looked at once a second." : "No scorer answers.";
  if (!wanted) return showList(view);
  showTable(view);
  showScorers(view);
  showCharts();
  showLately();
}

function keep(view) {
  seen.push(view);
  while (seen.length && seen[0].at_us < view.at_us - SHOWN_S * 1e6) seen.shift();
}

// While a rollout is under way its conditions are looked at again; a new phase is a new page.
async function lookAtRollout() {
  const shown = document.querySelector("[data-rollout]");
  if (!shown || document.hidden) return;
  const answer = await fetch(location.pathname, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-rollout]");
  if (!fresh || fresh.dataset.rollout !== shown.dataset.rollout) return location.reload();
  if (fresh.innerHTML !== shown.innerHTML) shown.replaceChildren(...fresh.childNodes);
}

const source = new EventSource(`/streams/rates?deployment=${encodeURIComponent(wanted)}`);
source.addEventListener("history", (event) => {
  seen.splice(0);
  for (const view of JSON.parse(event.data)) keep(view);
  if (seen.length) show(seen[seen.length - 1]);
});
source.addEventListener("look", (event) => {
  const view = JSON.parse(event.data);
  keep(view);
  show(view);
});
source.addEventListener("error", () => { document.querySelector("[data-state]").textContent = "The control plane does not answer; trying again."; });
addEventListener("pagehide", () => source.close());

if (document.querySelector("[data-charts]")) {
  document.querySelector("details:has([data-lately])").addEventListener("toggle", showLately);
  new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  new ResizeObserver(() => { for (const each of charts) each.chart.setSize({ width: each.place.clientWidth, height: 190 }); }).observe(document.querySelector("[data-charts]"));
  if (document.querySelector("[data-under-way]")) setInterval(() => lookAtRollout().catch(() => {}), 2000);
}
