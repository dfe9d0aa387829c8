// Requests to the server on this machine: JSON, images with the command that makes them, streams. Errors become one class
// whose message says what to do.

export class ApiError extends Error {
  constructor(message, status) { super(message); this.name = "ApiError"; this.status = status; }
}

const GONE = "The server does not answer. If `gansmith explore` was ended, start it again and reload this page.";
const LOCKED = "The server does not know this browser any more. Open the link that `gansmith explore` prints (it holds the token).";

/** True for a request that was given up because a newer one took its place, or its view was left. */
export const dropped = (error) => error?.name === "AbortError";

async function request(path, { method, body, headers = {}, signal } = {}) {
  const isData = body instanceof Blob || body instanceof ArrayBuffer;
  const options = { method: method || (body === undefined ? "GET" : "POST"), signal, headers: { ...headers }, credentials: "same-origin" };
  if (body !== undefined) {
    options.body = isData ? body : JSON.stringify(body);
    options.headers["Content-Type"] = isData ? body.type || "application/octet-stream" : "application/json";
  }
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (dropped(error)) throw error;
    throw new ApiError(GONE, 0);
  }
  if (!response.ok) throw await failure(response);
  return response;
}

async function failure(response) {
  if (response.status === 401) return new ApiError(LOCKED, 401);
  let message = `The server answered ${response.status}.`;
  try {
    const answer = await response.json();
    if (typeof answer.error === "string") message = answer.error;
    else if (Array.isArray(answer.detail)) message = answer.detail.map((d) => `${d.loc?.slice(1).join(".")}: ${d.msg}`).join("; ");
    else if (typeof answer.detail === "string") message = answer.detail;
  } catch { /* no JSON: the status says it */ }
  if (message === "Not Found") message = "The server does not know this request: it is of another version than this page. Start gansmith explore again, and reload.";
  return new ApiError(message, response.status);
}

const unescape = (text) => { try { return decodeURIComponent(text); } catch { return text; } };

/** Headers of ours on an image's answer. */
function facts(response) {
  const get = (name) => response.headers.get(name);
  const images = get("Gansmith-Images");
  return { command: unescape(get("Gansmith-Command") || ""), images: images === null ? null : Number(images), digest: get("Gansmith-Digest") || "" };
}

/** Path of a run's resource: `at("my run", "image", {seed: 1})`; null and undefined parameters are left out. */
export function at(run, rest = "", parameters = {}) {
  const name = typeof run === "string" ? run : run.name;
  return `/api/runs/${encodeURIComponent(name)}${rest ? `/${rest}` : ""}${query(parameters)}`;
}

/** Query string of parameters that are not null, undefined or "". */
export function query(parameters) {
  const pairs = Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return pairs.length ? `?${new URLSearchParams(pairs)}` : "";
}

/** JSON answer; a body that is an object is posted as JSON, a Blob as it is, none is a GET. */
export const json = async (path, options = {}) => (await request(path, options)).json();

/** JSON answer of a GET. */
export const get = json;

/** JSON answer of a POST with a JSON body, or with an image file as it is. */
export const post = (path, body = {}, options = {}) => json(path, { ...options, body });

/** Image, film or zip: {blob, command, images, digest}, and `url` (made on first use; let go by `free(url)`, a tile does it). */
export async function image(path, { body, headers, signal } = {}) {
  const response = await request(path, { body, headers, signal });
  const blob = await response.blob();
  let url = null;
  return { blob, get url() { return (url ||= URL.createObjectURL(blob)); }, ...facts(response) };
}

/** Blob address let go. */
export const free = (url) => { if (url?.startsWith("blob:")) URL.revokeObjectURL(url); };

/**
 * Newest first: at most one request under way, at most one waiting; what waits is replaced by what is newer. Returns
 * ask(path, options) -> the image, or undefined where a newer request took its place. For sliders: as many frames a second as
 * the model makes, and the last one always arrives.
 */
export function newest(load = image) {
  let running = false;
  let waiting = null;
  async function next() {
    if (running || !waiting) return;
    const { args, resolve, reject } = waiting;
    waiting = null;
    running = true;
    try { resolve(await load(...args)); } catch (error) { if (dropped(error)) resolve(undefined); else reject(error); }
    running = false;
    next();
  }
  return (...args) => new Promise((resolve, reject) => {
    if (waiting) waiting.resolve(undefined);
    waiting = { args, resolve, reject };
    next();
  });
}

/** A queue of at most `most` requests at once; `front: true` goes first. Requests whose signal is aborted are skipped. */
export function queue(most = 4) {
  const waiting = [];
  let running = 0;
  function next() {
    while (running < most && waiting.length) {
      const { work, signal, resolve, reject } = waiting.shift();
      if (signal?.aborted) { reject(new DOMException("left", "AbortError")); continue; }
      running += 1;
      work().then(resolve, reject).finally(() => { running -= 1; next(); });
    }
  }
  return (work, { signal, front = false } = {}) => new Promise((resolve, reject) => {
    waiting[front ? "unshift" : "push"]({ work, signal, resolve, reject });
    next();
  });
}

/** Events of an answer as they come (a POST with `Accept: text/event-stream`): on(name, data) for each; data is parsed JSON. */
export async function events(path, { body, signal }, on) {
  const response = await request(path, { body, signal, headers: { Accept: "text/event-stream" } });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += value.replaceAll("\r\n", "\n");
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const [event, data] = parse(text.slice(0, end));
      text = text.slice(end + 2);
      if (event === "error") throw new ApiError(data?.error || "The server gave up.", 500);
      if (data !== undefined) on(event, data);
    }
  }
}

function parse(block) {
  let event = "message";
  const data = [];
  for (const line of block.split("\n")) {
    if (line.startsWith("event:")) event = line.slice(6).trim();
    if (line.startsWith("data:")) data.push(line.slice(5).trimStart());
  }
  return [event, data.length ? JSON.parse(data.join("\n")) : undefined];
}

const listeners = new Map(); // listener -> names of the runs that it shows
let source = null;

/**
 * Live changes of all runs, one connection for the whole page, closed while the page is hidden. Returns a function that ends it.
 * shown(): names of the runs on show; those that are not there when the connection begins are told as gone.
 */
export function live(listener, shown = () => []) {
  listeners.set(listener, shown);
  connect();
  return () => { listeners.delete(listener); if (!listeners.size) disconnect(); };
}

function connect() {
  if (source || !listeners.size || document.hidden) return;
  source = new EventSource("/api/live");
  const tell = (event) => { const change = JSON.parse(event.data); for (const listener of [...listeners.keys()]) listener(change); };
  source.onmessage = tell;
  source.addEventListener("run", tell);
  source.addEventListener("gone", (event) => { const change = { ...JSON.parse(event.data), gone: true }; for (const listener of [...listeners.keys()]) listener(change); });
  source.addEventListener("all", (event) => {
    const { names } = JSON.parse(event.data);
    for (const [listener, shown] of [...listeners]) for (const name of shown()) if (!names.includes(name)) listener({ name, gone: true });
  });
}

function disconnect() { source?.close(); source = null; }

document.addEventListener("visibilitychange", () => (document.hidden ? disconnect() : connect()));
addEventListener("pagehide", disconnect);

export const api = { json, get, post, image, free, newest, queue, events, live, at, query, dropped };
