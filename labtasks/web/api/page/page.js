import { LANGUAGE, TEXTS } from "./texts.js";
import { ask, key, listen } from "./service.js";

const TASKS = "celerylab-tasks";
const POLL = 1000; // ms
const TRY_LIVE = 15; // polls until a WebSocket is tried again

const $ = (selector, within = document) => within.querySelector(selector);
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const tasks = new Map(); // id → {id, kind, call, task}, newest first in the list
const calls = { add: TEXTS.callAdd, long: TEXTS.callLong, process: TEXTS.callProcess };

// -- what is sent ------------------------------------------------------------------------

function number(text) {
  const found = Number(text.trim());
  if (!text.trim() || !Number.isFinite(found)) throw new RangeError(TEXTS.notNumber(text));
  return found;
}

const read = {
  add: (form) => ({ x: number(form.x.value), y: number(form.y.value) }),
  long: (form) => ({ seconds: number(form.seconds.value) }),
  process: (form) => ({ data: form.data.value.trim().split(/[\s,]+/).map(number) }),
};

async function submit(form) {
  const kind = form.dataset.kind;
  if (!key.get()) {
    complain(form, TEXTS.keyNeeded);
    return $("#key").focus();
  }
  let asked;
  try {
    asked = read[kind](form.elements);
  } catch (error) {
    return complain(form, error.message);
  }
  const answer = await ask("POST", `tasks/${kind}`, asked);
  complain(form, answer.status === 202 ? "" : why(answer));
  if (answer.status === 401) return $("#key").focus();
  if (answer.status !== 202) return;
  const entry = { id: answer.body.id, kind, call: calls[kind](asked), task: answer.body };
  add(entry);
  save();
  news(TEXTS.sent(entry.call));
  follow(entry);
}

function why({ status, body, retry }) {
  const text = TEXTS.refused[status];
  if (status === 422) {
    return text + (body.errors ?? []).map((each) => `${each.where}: ${each.what}`).join("; ");
  }
  return typeof text === "function" ? text(retry) : text ?? body.detail ?? TEXTS.noAnswer;
}

function complain(form, text) {
  const place = $(".problem", form);
  place.textContent = text;
  place.hidden = !text;
}

// -- how it goes on ----------------------------------------------------------------------

const modes = new Map(); // id → how a task that has not ended is followed

function mode(entry, name) {
  if (name) modes.set(entry.id, name);
  else modes.delete(entry.id);
  const worst = ["away", "polling", "live"].find((each) => [...modes.values()].includes(each));
  const text = worst ? TEXTS[worst] : "";
  if ($("#link").textContent !== text) $("#link").textContent = text;
}

const wanted = (entry) => tasks.has(entry.id) && !entry.task.ended;

// Over a WebSocket as long as it holds, else by asking; until the task has ended.
async function follow(entry) {
  while (wanted(entry)) {
    await listen(entry.id, (task) => { mode(entry, "live"); show(entry, task); });
    for (let n = 0; n < TRY_LIVE && wanted(entry); n += 1) await poll(entry);
  }
  mode(entry, null);
}

async function poll(entry) {
  const { status, body, retry } = await ask("GET", `tasks/${entry.id}`);
  if (status === 200) {
    mode(entry, "polling");
    show(entry, body);
  } else if (status === 404) {
    show(entry, { ...entry.task, state: "GONE", ended: true, error: { message: TEXTS.gone } });
  } else if (status === 401) {
    $("#link").textContent = why({ status, body, retry });
  } else {
    mode(entry, "away");
  }
  if (wanted(entry)) await pause(Math.max(POLL, status === 200 ? 0 : retry * 1000));
}

// -- what is seen ------------------------------------------------------------------------

function add(entry) {
  const item = $("#task").content.cloneNode(true).firstElementChild;
  $("h3", item).textContent = entry.call;
  $("progress", item).setAttribute("aria-label", TEXTS.progressOf(entry.call));
  $("button", item).addEventListener("click", () => (entry.task.ended ? remove(entry) : cancel(entry)));
  entry.item = item;
  tasks.set(entry.id, entry);
  $("#list").prepend(item);
  $("#none").hidden = true;
  show(entry, entry.task, true);
}

// Changes only texts and values: the button that has the focus stays the same element.
function show(entry, task, quiet = false) {
  const { item } = entry;
  const already = entry.task.ended;
  entry.task = task;
  const state = task.cancelling ? TEXTS.cancelling : TEXTS.states[task.state] ?? task.state;
  $(".state", item).textContent = state;
  item.dataset.look = task.state === "SUCCESS" ? "good" : task.ended ? "bad" : "";
  item.dataset.state = task.state;
  const bar = $("progress", item);
  bar.hidden = task.ended;
  if (task.progress) bar.value = task.progress.current / task.progress.total;
  else bar.removeAttribute("value");
  $(".outcome", item).textContent = outcome(task);
  const button = $("button", item);
  button.textContent = task.ended ? TEXTS.remove : TEXTS.cancel;
  button.setAttribute("aria-label", (task.ended ? TEXTS.removeOf : TEXTS.cancelOf)(entry.call));
  if (task.ended && !already && !quiet) news(TEXTS.ended(entry.call, state, outcome(task)));
}

function outcome(task) {
  if (task.error) return task.state === "REVOKED" ? "" : task.error.message;
  if (task.state === "SUCCESS") {
    const { result } = task;
    return result?.count === undefined ? TEXTS.result(result) : TEXTS.processed(result);
  }
  return task.progress ? TEXTS.progress(task.progress.current, task.progress.total) : "";
}

async function cancel(entry) {
  const answer = await ask("DELETE", `tasks/${entry.id}`);
  if (entry.task.ended) return; // the news was quicker than this answer
  if (answer.status === 202) show(entry, answer.body);
  else if (answer.status !== 409) news(why(answer)); // 409: it has ended, and the news is on its way
}

function remove(entry) {
  const next = entry.item.nextElementSibling ?? entry.item.previousElementSibling;
  tasks.delete(entry.id);
  entry.item.remove();
  $("#none").hidden = tasks.size > 0;
  save();
  (next ? $("button", next) : $("#tasks")).focus();
  news(TEXTS.removed(entry.call));
}

function news(text) {
  $("#news").textContent = text;
}

// -- the beginning -----------------------------------------------------------------------

function save() {
  const kept = [...tasks.values()].map(({ id, kind, call, task }) => ({ id, kind, call, task }));
  sessionStorage.setItem(TASKS, JSON.stringify(kept));
}

document.documentElement.lang = LANGUAGE;
document.title = TEXTS.title;
for (const place of document.querySelectorAll("[data-text]")) place.textContent = TEXTS[place.dataset.text];

$("#key").value = key.get();
$("#key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  key.set($("#key").value.trim());
  $("#key-hint").textContent = TEXTS.keyKept;
  news(TEXTS.keyKept);
});
for (const form of document.querySelectorAll("form[data-kind]")) {
  form.addEventListener("submit", (event) => { event.preventDefault(); submit(form); });
}
for (const entry of JSON.parse(sessionStorage.getItem(TASKS) ?? "[]")) {
  add(entry);
  if (!entry.task.ended) follow(entry);
}
