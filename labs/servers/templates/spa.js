// The single-page client: it holds its tokens itself, and renews them.

import { LoggedOut, open, read, send } from "./page.js";

const address = (name) => document.querySelector(`meta[name=${name}]`).content;
const identity = address("identity"), accounts = address("accounts");
const client = "spa";

// In memory and in no storage: gone with the page, and not there for a script that comes later. A script that is in
// this page now can still use them, as it can use everything here (RFC 10017 §5).
let tokens = null;
let renewal = null; // the renewal that is under way: refresh tokens are good for one use, so there is never a second

export async function login(username, password) {
  tokens = await read(await send(`${identity}/login`, { username, password, client }));
}

export async function logout() {
  await renewal?.catch(() => {}); // or it would bring back what is ended here
  const ended = tokens;
  tokens = null;
  if (ended === null) return;
  try {
    await read(await send(`${identity}/revoke`, { refresh_token: ended.refresh_token }));
  } catch {
    throw new LoggedOut("You are logged out here. Fernbank could not be told, and the log-in ends there by itself.");
  }
}

export async function call(path, body) {
  const first = held();
  let answer = await ask(path, body, first);
  if (answer.status === 401) {
    await renewed(first);
    answer = await ask(path, body, held()); // once more, and not again: a second fresh token would not help either
  }
  return read(answer);
}

const ask = (path, body, token) => send(accounts + path, body, { Authorization: `Bearer ${token}` });

function held() {
  if (tokens === null) throw new LoggedOut("");
  return tokens.access_token;
}

/** Wait until there is a token other than the one that was refused. */
async function renewed(refused) {
  if (held() !== refused) return; // a 401 that comes late, for a token that has been replaced
  renewal ??= renew().finally(() => { renewal = null; });
  await renewal;
}

async function renew() {
  const answer = await send(`${identity}/refresh`, { refresh_token: tokens.refresh_token, client });
  if (answer.status === 400) { // RFC 6749 §5.2: invalid_grant. Only this logs out: an outage logs out nobody
    tokens = null;
    throw new LoggedOut("Your log-in has ended: log in again.");
  }
  tokens = await read(answer);
}

open({ login, logout, call });
